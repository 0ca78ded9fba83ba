"""Ids that sort by time and cannot be guessed."""

import random

from trimtab.types.clock import Clock

__all__ = ["IdSource"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
_TIME_CHARS = 10  # 50 bits of milliseconds
_RANDOM_CHARS = 16  # 80 bits


class IdSource:
    """Makes ids like `inf_01k3v7m2qd5w8z1x4c6v8b2n4m`: kind, milliseconds, 80 random bits."""

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        # Seeded from the system once: a call of the kernel for each id would be most of its cost.
        self._bits = (rng or random.Random(random.SystemRandom().getrandbits(256))).getrandbits

    def new(self, kind: str) -> str:
        """A new id; `kind` is its prefix."""
        value = (self._clock.wall_ns() // 1_000_000 << 80) | self._bits(80)
        chars = [""] * (_TIME_CHARS + _RANDOM_CHARS)
        for place in range(len(chars) - 1, -1, -1):
            chars[place] = _ALPHABET[value & 31]
            value >>= 5
        return f"{kind}_{''.join(chars)}"
