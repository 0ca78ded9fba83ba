"""Listens, serves, and ends in good order."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from errno import EADDRINUSE

from trimtab.app import App
from trimtab.errors import UsageError
from trimtab.server.handler import Handler
from trimtab.server.http import HttpConnection, Limits
from trimtab.types.clock import SystemClock

__all__ = ["serve"]

_log = logging.getLogger("trimtab.server")

_SWEEP_S = 2.0
_POLL_PROJECT_S = 0.5
_LAST_BYTES_S = 0.5  # also for what was cut: its last words are on their way
_LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
_BACKLOG = 4096


class _Listener:
    """The open connections, and what answers them."""

    def __init__(self, app: App) -> None:
        self._handler = Handler(app, SystemClock())
        self._app = app
        self._connections: set[HttpConnection] = set()
        self._closed = asyncio.Event()

    def new_connection(self) -> HttpConnection:
        limits = Limits(body_bytes=self._app.gateway.serving.project.server.max_body_bytes)
        connection = HttpConnection(
            limits,
            serve=self._handler.serve,
            fail=self._handler.fail,
            closed=self._forget,
        )
        self._connections.add(connection)
        return connection

    def _forget(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)
        self._closed.set()

    async def sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            self._app.gateway.check_time()
            for connection in list(self._connections):
                connection.check_time()

    async def drain(self, limit_s: float) -> None:
        """Let what is under way finish; after `limit_s` seconds end it."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + limit_s
        self._handler.stopping = True
        for connection in list(self._connections):
            connection.begin_drain()
        try:
            async with asyncio.timeout_at(until_s):
                await self._app.gateway.drained()
                if self._handler.tasks:
                    await asyncio.wait(self._handler.tasks)
        except TimeoutError:
            await self._cut()
        with suppress(TimeoutError):  # a caller may still have to take the last bytes
            async with asyncio.timeout_at(max(until_s, loop.time() + _LAST_BYTES_S)):
                while self._connections:
                    self._closed.clear()
                    await self._closed.wait()
        for connection in list(self._connections):
            connection.abort()

    async def _cut(self) -> None:
        late = list(self._handler.tasks)
        for task in late:
            task.cancel()
        cut = self._app.gateway.stop() + len(late)
        _log.warning("%d requests did not finish within drain_s and were cut", cut)
        if late:
            await asyncio.wait(late)


async def serve(app: App, *, host: str, port: int, on_ready: Callable[[str, int], None]) -> None:
    """Serve `app` until SIGTERM or SIGINT, then drain.

    Args:
        app: the wired project.
        host: address to listen on; without any key only a loopback address is accepted.
        port: 0 for any free one.
        on_ready: called with the address and port when connections are accepted.

    Raises:
        UsageError: the address cannot be used.
    """
    if not app.keys.any_configured() and host not in _LOOPBACK:
        raise UsageError(
            f"No keys are configured, so the gateway would be open to everyone on {host}. "
            "Make one with `trimtab keys create NAME`, or listen on 127.0.0.1."
        )
    loop = asyncio.get_running_loop()
    listener = _Listener(app)
    server = await _bind(listener, host, port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        app.gateway.spawn = group.create_task
        await server.start_serving()
        chores = [
            group.create_task(listener.sweep()),
            group.create_task(_watch(app)),
            group.create_task(app.tend_engines()),
            group.create_task(app.tend_retention()),
            group.create_task(app.tend_outliers()),
            group.create_task(app.tend_forecast()),
            group.create_task(app.tend_drift()),
            group.create_task(app.tend_breakers()),
            group.create_task(app.tend_prompts()),
            group.create_task(app.tend_canaries()),
        ]
        on_ready(host, server.sockets[0].getsockname()[1])
        await stop.wait()
        server.close()
        await listener.drain(app.gateway.serving.project.server.drain_s)
        for chore in chores:
            chore.cancel()


async def _bind(listener: _Listener, host: str, port: int) -> asyncio.Server:
    """Take the address; callers are let in later."""
    try:
        return await asyncio.get_running_loop().create_server(
            listener.new_connection, host, port, backlog=_BACKLOG, start_serving=False
        )
    except OSError as error:
        cause = "the port is in use" if error.errno == EADDRINUSE else error.strerror
        raise UsageError(
            f"Cannot listen on {host}:{port}: {cause}. Choose another with --port."
        ) from error


async def _watch(app: App) -> None:
    while True:
        await asyncio.sleep(_POLL_PROJECT_S)
        app.poll_project()
