"""The fault provider as a process: prints its base URL, then serves until it is told to stop."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop

from trimtab.errors import TrimtabError, reply_of
from trimtab.testing.calls import Call
from trimtab.testing.provider import FaultProvider
from trimtab.testing.script import Script, load_script


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m trimtab.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--script", type=Path, help="a .json or .toml fault script")
    parser.add_argument("--log", type=Path, help="append each ended call as a JSON line")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        script = load_script(options.script) if options.script else Script()
    except TrimtabError as error:
        sys.stderr.write(f"{error}\n")
        return reply_of(error).exit_code
    try:
        uvloop.run(_serve(script, options))
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve(script: Script, options: argparse.Namespace) -> None:
    on_end = _appender(options.log) if options.log else None
    provider = FaultProvider(
        script, port=options.port, seed=options.seed, keep_calls=False, on_end=on_end
    )
    async with provider:
        sys.stdout.write(f"{provider.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def _appender(path: Path) -> Callable[[Call], None]:
    # Unbuffered, so that a reader sees a call as soon as it has ended.
    log = path.open("ab", buffering=0)

    def append(call: Call) -> None:
        log.write(msgspec.json.encode(call) + b"\n")

    return append


if __name__ == "__main__":
    sys.exit(main())
