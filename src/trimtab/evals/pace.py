"""How many requests of a run are under way: fewer when somebody says that it is too much."""

import asyncio
from typing import Final

__all__ = ["Pace"]

_SLOWER: Final = 0.5


class Pace:
    """Additive increase, multiplicative decrease, as TCP does it. For the event loop's thread.

    Args:
        most: at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(most)
        self._active = 0
        self._room = asyncio.Event()

    @property
    def limit(self) -> int:
        """At a time, at present."""
        return max(int(self._limit), 1)

    async def enter(self) -> None:
        """Wait for a place."""
        while self._active >= self.limit:
            self._room.clear()
            await self._room.wait()
        self._active += 1

    def leave(self, *, too_fast: bool) -> None:
        """Give the place back, and say how it went."""
        self._active -= 1
        if too_fast:
            self._limit = max(self._limit * _SLOWER, 1.0)
        else:
            self._limit = min(self._limit + 1.0 / self._limit, self._most)
        self._room.set()
