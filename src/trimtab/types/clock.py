"""Time is passed in, so that tests can hold it still. Durations are monotonic, stamps are UTC."""

import time
from typing import Protocol

__all__ = ["NS_PER_S", "Clock", "SystemClock"]

NS_PER_S = 1_000_000_000


class Clock(Protocol):
    """Two readings: one to stamp records, one to measure with."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC. May jump; never used for a duration."""
        ...

    def monotonic_s(self) -> float:
        """Seconds on a clock that only goes forward."""
        ...


class SystemClock:
    """The machine's clocks."""

    # Bound once: these two are read several times in each inference.
    wall_ns = staticmethod(time.time_ns)
    monotonic_s = staticmethod(time.monotonic)
