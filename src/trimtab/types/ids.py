"""Ids that sort by time and cannot be guessed."""

from collections.abc import Callable
from os import urandom

from trimtab.types.clock import Clock

__all__ = ["IdSource"]

_RANDOM_BYTES = 10
_POOL_BYTES = 4000  # asking the kernel for each id would be most of its cost


class IdSource:
    """Makes ids like `inf_01936f0a7c2e9f31...`: kind, 48 bits of milliseconds, 80 random bits."""

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes] = urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._pool: list[str] = []  # of those that come, in hexadecimal digits

    def new(self, kind: str) -> str:
        """A new id; `kind` is its prefix."""
        if not self._pool:
            digits = self._random_bytes(_POOL_BYTES).hex(" ", _RANDOM_BYTES)
            self._pool = digits.split()[::-1]
        return f"{kind}_{self._clock.wall_ns() // 1_000_000:012x}{self._pool.pop()}"
