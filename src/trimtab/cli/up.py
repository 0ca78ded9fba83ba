"""`trimtab up`: serve a project folder."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import ProjectFolder

__all__ = ["run_gateway", "up"]

_SWITCH_INTERVAL_S = 0.0005  # so that the writer's work never holds up the event loop for long
_MANY_FILES = 65_536
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h of glibc
_LARGE_BYTES = 256 * 1024
_GIVE_BACK_EVERY_S = 30.0


def up(
    project: ProjectFolder = Path(),
    host: Annotated[str | None, typer.Option(help="Instead of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Instead of server.port; 0 for any.")
    ] = None,
) -> None:
    """Serve the project until Ctrl-C or SIGTERM."""
    import logging

    from trimtab.config.load import find_project_file

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    run_gateway(find_project_file(project), host, port)


def _allow_many_files() -> None:
    """Raise the soft limit: each inference takes two connections, and 1,024 is a usual default."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _keep_memory_together() -> None:
    """Have one heap, and take large blocks from the system one by one, where glibc allocates.

    By itself it makes a heap for each thread, though only one thread runs at a time. And it takes
    large blocks from the heap once it has seen some come and go; there the next small block pins
    them, and one answer of many megabytes would be paid for until the end.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_ARENA_MAX, 1)


def _give_memory_back() -> None:
    """Return free pages to the system now and then, where glibc allocates.

    By itself it returns only what is free at the very end of the heap, so each burst of requests
    that was larger than all before it would be paid for until the end of the process. It takes
    about a millisecond, on a thread of its own, without the interpreter lock.
    """
    import ctypes
    import threading
    import time

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return

    def run() -> None:
        while True:
            time.sleep(_GIVE_BACK_EVERY_S)
            trim(0)

    threading.Thread(target=run, name="trimtab-memory", daemon=True).start()


def run_gateway(file: Path, host: str | None, port: int | None) -> None:
    """Run the gateway in this process to its end."""
    import uvloop

    from trimtab.app import App
    from trimtab.server.serve import serve

    def say_ready(address: str, bound: int) -> None:
        name = f"[{address}]" if ":" in address else address
        print(f"trimtab serves {file} at http://{name}:{bound}/v1", flush=True)
        print(f"console: http://{name}:{bound}/console", flush=True)
        if not open_to_keys:
            print(
                "No keys are configured: only this machine is served. "
                "Make one with `trimtab keys create NAME`.",
                flush=True,
            )
        # What is here now stays: later collections need not look at it again.
        gc.collect()
        gc.freeze()

    open_to_keys = False

    async def run() -> None:
        nonlocal open_to_keys
        app = await App.open(file)
        open_to_keys = app.keys.any_configured()
        try:
            server = app.gateway.serving.project.server
            for finding in app.gateway.serving.project.warnings:
                print(f"warning: {finding}", file=sys.stderr, flush=True)
            await serve(
                app,
                host=host if host is not None else server.host,
                port=port if port is not None else server.port,
                on_ready=say_ready,
            )
        finally:
            await app.close()

    _allow_many_files()
    _keep_memory_together()
    _give_memory_back()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    uvloop.run(run())
