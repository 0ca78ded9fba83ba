"""A gateway whose wall clock steps back an hour each time that it gets SIGUSR1."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import uvloop

from trimtab.app import App
from trimtab.server.serve import serve
from trimtab.testing.scorecard.clock import SteppingClock

__all__ = ["main"]


def main() -> None:
    """Serve the project until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m trimtab.testing.scorecard.stepping")
    parser.add_argument("--project", type=Path, required=True)
    options = parser.parse_args()
    uvloop.run(_serve(options.project / "trimtab.toml"))


async def _serve(project_file: Path) -> None:
    clock = SteppingClock()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, clock.step_back)
    app = await App.open(project_file, clock)
    try:
        await serve(app, host="127.0.0.1", port=0, on_ready=_say_ready)
    finally:
        await app.close()


def _say_ready(address: str, port: int) -> None:
    sys.stdout.write(f"http://{address}:{port}/v1\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
