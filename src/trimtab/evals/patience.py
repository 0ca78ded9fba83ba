"""How long a run waits for somebody who says: not now."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from trimtab.errors import TrimtabError
from trimtab.evals.answering import later

__all__ = ["Patience"]

_TRIES: Final = 8
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 60.0

T = TypeVar("T")


class Patience:
    """Asks again later. For the event loop's thread.

    Who has answered nobody for so long is asked once for each row from then on, until there is an
    answer: a provider that is down does not hold up a run for hours.
    """

    def __init__(self) -> None:
        self._used_up = False
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Wait no more."""
        self._ended.set()

    async def ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, at once or some time.

        Raises:
            TrimtabError: what `ask` raises; where `later` says so, not before it was asked often.
        """
        pause_s = _FIRST_PAUSE_S
        for left in reversed(range(_TRIES)):
            try:
                given = await ask()
            except TrimtabError as error:
                if not later(error):
                    raise
                self._used_up = self._used_up or left == 0
                if self._used_up or self._ended.is_set():
                    raise
                await self._pause(min(error.retry_after_s or pause_s, _LONGEST_PAUSE_S))
                pause_s *= 2
            else:
                self._used_up = False
                return given
        raise AssertionError  # the last try gives or raises

    async def _pause(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._ended.wait()
        except TimeoutError:
            pass
