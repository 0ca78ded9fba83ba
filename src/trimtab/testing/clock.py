"""A clock that stands still until it is moved."""

from trimtab.types.clock import NS_PER_S

__all__ = ["FrozenClock"]

_EPOCH_NS = 1_760_000_000 * NS_PER_S


class FrozenClock:
    """Implements `trimtab.types.clock.Clock`.

    Args:
        wall_ns: nanoseconds since 1970-01-01 UTC to begin with.
        monotonic_s: seconds to begin with.
    """

    def __init__(self, wall_ns: int = _EPOCH_NS, monotonic_s: float = 1000.0) -> None:
        self._wall_ns = wall_ns
        self._monotonic_s = monotonic_s

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return self._wall_ns

    def monotonic_s(self) -> float:
        """Seconds on the clock that only goes forward."""
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks.

        Raises:
            ValueError: `seconds` is negative; use `step_wall` to turn the wall clock back.
        """
        if seconds < 0:
            raise ValueError("Time does not go back; use step_wall for a step of the wall clock.")
        self._monotonic_s += seconds
        self.step_wall(seconds)

    def step_wall(self, seconds: float) -> None:
        """Move the wall clock only, forward or back, as an administrator or NTP would."""
        self._wall_ns += round(seconds * NS_PER_S)
