"""A clock that somebody sets wrong while it is in use."""

from trimtab.types.clock import NS_PER_S, SystemClock

__all__ = ["STEP_S", "SteppingClock"]

STEP_S = 3600.0


class SteppingClock:
    """The machine's clocks, but that the wall clock can be set back.

    Implements `trimtab.types.clock.Clock`.
    """

    def __init__(self) -> None:
        self._stepped_ns = 0
        self.monotonic_s = SystemClock.monotonic_s

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC, less what was stepped."""
        return SystemClock.wall_ns() - self._stepped_ns

    def step_back(self) -> None:
        """Set it back by `STEP_S`."""
        self._stepped_ns += round(STEP_S * NS_PER_S)
