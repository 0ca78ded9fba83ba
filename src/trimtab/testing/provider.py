"""A model provider on loopback that behaves, and misbehaves, as its script says."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType

from trimtab.testing.calls import Call, CallLog
from trimtab.testing.connection import Connection
from trimtab.testing.script import Behaviour, Script, as_script
from trimtab.testing.stage import Stage
from trimtab.testing.turns import Turns
from trimtab.types.clock import Clock, SystemClock

__all__ = ["FaultProvider"]


class FaultProvider:
    """Serves OpenAI's chat completions inside the running event loop.

    >>> async with FaultProvider(Behaviour(status=503)) as provider:
    ...     await call(provider.base_url)
    ...     await provider.wait_for(lambda: provider.calls[0].ended_by == "complete")

    Args:
        script: a script, one behaviour, several for consecutive calls, or None for health.
        port: 0 for a free one.
        seed: chooses the words of answers; the same seed gives the same bytes.
        clock: stamps calls and times `for_s`; waits are in real seconds.
        keep_calls: ended calls stay in `calls`; false for long runs.
        on_end: is given each call when it has ended.
    """

    def __init__(
        self,
        script: Script | Behaviour | Sequence[Behaviour] | None = None,
        *,
        port: int = 0,
        seed: int = 0,
        clock: Clock | None = None,
        keep_calls: bool = True,
        on_end: Callable[[Call], None] | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._port = port
        self._log = CallLog(clock, keep=keep_calls, on_end=on_end)
        self._tasks = asyncio.TaskGroup()
        turns = Turns(as_script(script), clock.monotonic_s)
        self._stage = Stage(turns, self._log, self._tasks, seed=seed)

    async def __aenter__(self) -> "FaultProvider":
        await self._tasks.__aenter__()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._stage), "127.0.0.1", self._port
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for connection in list(self._stage.connections):
            connection.abort()
        # Cancellation is the group's business; an error of the block comes out as it is.
        if isinstance(exc, asyncio.CancelledError):
            await self._tasks.__aexit__(exc_type, exc, traceback)
        else:
            await self._tasks.__aexit__(None, None, None)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def base_url(self) -> str:
        """What a client is given, `/v1` included."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls(self) -> list[Call]:
        """All chat calls in the order of their arrival, those under way too."""
        return self._log.calls

    def play(self, model: str, *behaviours: Behaviour) -> None:
        """From now on calls to `model` get these behaviours; the last one repeats.

        Raises:
            ValueError: there is none.
        """
        if not behaviours:
            raise ValueError("Say at least one behaviour: Behaviour() is a healthy one.")
        self._stage.turns.play(model, behaviours)

    @property
    def open_connections(self) -> int:
        """Connections that are open at this moment."""
        return len(self._stage.connections)

    async def wait_for(
        self, predicate: Callable[[], bool], *, timeout_s: float | None = 10.0
    ) -> None:
        """Return when `predicate()` holds; it is asked after each call, byte or connection.

        Raises:
            TimeoutError: it did not within `timeout_s`.
        """
        async with asyncio.timeout(timeout_s):
            await self._log.wait_for(predicate)
