"""Ids that sort by time and cannot be guessed."""

from collections.abc import Callable
from os import urandom

from trimtab.types.clock import Clock

__all__ = ["IdSource"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_RANDOM_BYTES = 10  # 80 bits, behind 50 bits of milliseconds
_BITS = 130
_POOL_BYTES = 4096  # asking the kernel for each id would be most of its cost


class IdSource:
    """Makes ids like `inf_01k3v7m2qd5w8z1x4c6v8b2n4m`: kind, milliseconds, 80 random bits."""

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes] = urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._pool = b""
        self._at = 0

    def new(self, kind: str) -> str:
        """A new id; `kind` is its prefix."""
        at = self._at
        if at + _RANDOM_BYTES > len(self._pool):
            self._pool, at = self._random_bytes(_POOL_BYTES), 0
        self._at = at + _RANDOM_BYTES
        random = int.from_bytes(self._pool[at : self._at])
        value = (self._clock.wall_ns() // 1_000_000 << 80) | random
        return f"{kind}_" + "".join(
            [_PAIRS[value >> shift & 1023] for shift in range(_BITS - 10, -1, -10)]
        )
