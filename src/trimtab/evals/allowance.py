"""What a run may spend: held before each request, and given back when it is known what it cost."""

import asyncio

__all__ = ["Allowance"]


class Allowance:
    """Belongs to the event loop's thread.

    Args:
        limit_nanousd: for all requests together; None for no limit.

    Attributes:
        spent_nanousd: by requests that are over.
    """

    def __init__(self, limit_nanousd: int | None) -> None:
        self.spent_nanousd = 0
        self._limit_nanousd = limit_nanousd
        self._held_nanousd = 0
        self._changed = asyncio.Event()

    async def hold(self, nanousd: int) -> bool:
        """Hold what a request may cost at most.

        It waits for what others have held too much: a request costs less than it could. False where
        it does not fit, though nothing else is held.
        """
        while not self._fits(nanousd):
            if self._held_nanousd == 0:
                return False
            self._changed.clear()
            await self._changed.wait()
        self._held_nanousd += nanousd
        return True

    def settle(self, held_nanousd: int, cost_nanousd: int) -> None:
        """Give back what was held; the request has cost so much."""
        self._held_nanousd -= held_nanousd
        self.spent_nanousd += cost_nanousd
        self._changed.set()

    def _fits(self, nanousd: int) -> bool:
        if self._limit_nanousd is None:
            return True
        return self.spent_nanousd + self._held_nanousd + nanousd <= self._limit_nanousd
