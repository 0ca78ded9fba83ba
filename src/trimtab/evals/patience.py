"""How long somebody is asked again who says: not now."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from trimtab.errors import ProviderRefused, TrimtabError
from trimtab.evals.answering import later

__all__ = ["Patience"]

_TRIES: Final = 8
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 60.0

T = TypeVar("T")


class Patience:
    """Asks again later. For the event loop's thread."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Wait no more."""
        self._ended.set()

    async def ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, at once or some time.

        Raises:
            TrimtabError: what `ask` raises; where `later` says so, not before it was asked often,
                or nobody waits any more.
        """
        pause_s = _FIRST_PAUSE_S
        for left in reversed(range(_TRIES)):
            try:
                return await ask()
            except TrimtabError as error:
                if not later(error) or left == 0 or self._ended.is_set():
                    raise
                wished_s = _wished_s(error)
                await self._pause(pause_s if wished_s is None else wished_s)
                pause_s *= 2
        raise AssertionError  # the last try gives or raises

    async def _pause(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(min(pause_s, _LONGEST_PAUSE_S)):
                await self._ended.wait()
        except TimeoutError:
            pass


def _wished_s(error: TrimtabError) -> float | None:
    """After how many seconds whoever says so wants to be asked again."""
    return error.wait_s if isinstance(error, ProviderRefused) else error.retry_after_s
