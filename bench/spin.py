"""An event loop that never sleeps, and timers that are exact to some microseconds.

An idle core of a virtual machine has to be woken for each packet, and the sender pays for it. So
the core of load generator and provider stays awake. The loop's own timers have whole milliseconds.

Load generator and provider share one such loop. Two processes that both stay awake take turns of
4 ms on their core; measured on 2 cores, direct calls per second with 32 connections and one
connection, and nginx's CPU per request with one connection, on 2026-11-24:

| | 32 connections | 1 connection | nginx, us |
|---|---|---|---|
| one process, awake | 52,300 | 37,300 | 55 |
| one process that sleeps | 48,300 | 49,700 | 71 |
| two processes that sleep | 52,600 | 37,300 | 82 |
| two processes, awake | 4,100 | 130 | 181 |
"""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import perf_counter
from types import TracebackType
from typing import Self

__all__ = ["Spin"]


class Spin:
    """Keeps the running loop awake inside `async with`, and calls what is due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._awake = False

    def at(self, when_s: float, callback: Callable[[], None]) -> None:
        """Call once at `when_s` on the clock of `time.perf_counter`."""
        heappush(self._due, (when_s, next(self._order), callback))

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._awake = True
        self._loop.call_soon(self._turn)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._awake = False

    def _turn(self) -> None:
        due = self._due
        if due:
            now_s = perf_counter()
            while due and due[0][0] <= now_s:
                heappop(due)[2]()
        if self._awake:
            self._loop.call_soon(self._turn)
