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
        self._slowed = 0
        self._room = asyncio.Event()

    @property
    def limit(self) -> int:
        """At a time, at present."""
        return max(int(self._limit), 1)

    async def enter(self) -> int:
        """Wait for a place; it is given back with what this returns."""
        while self._active >= self.limit:
            self._room.clear()
            await self._room.wait()
        self._active += 1
        return self._slowed

    def leave(self, entered: int, *, too_fast: bool) -> None:
        """Give the place back, and say how it went.

        Of all that were under way when it was too fast, only the first one slows down.
        """
        self._active -= 1
        if not too_fast:
            self._limit = min(self._limit + 1.0 / self._limit, self._most)
        elif entered == self._slowed:
            self._limit = max(self._limit * _SLOWER, 1.0)
            self._slowed += 1
        self._room.set()
