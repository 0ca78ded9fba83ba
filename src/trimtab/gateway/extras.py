"""How many attempts are made beyond the first, and when: retries and hedges.

Extra attempts help while a few calls fail, and make things worse when all do. So they are bounded
by a share of the traffic, not by a count for each inference.
"""

from typing import Final

from trimtab.config.schema import Hedge
from trimtab.stats.histogram import LogHistogram
from trimtab.types.clock import Clock

__all__ = ["HedgeTimer", "RetryBudget"]

_MOST_EARNED: Final = 100.0
_FLOOR: Final = 10.0
_FLOOR_PER_S: Final = 1.0

_WINDOW_S: Final = 300.0
_LEAST_SAMPLES: Final = 50
_PERCENTILE: Final = 0.95
_KEPT_FOR_S: Final = 1.0
_US_PER_S: Final = 1e6
_HORIZON: Final = 2_000  # inferences


class RetryBudget:
    """How many extra attempts all routes together may make, now: a bucket of tokens.

    Each first attempt puts `share` of a token in, up to 100. A quiet gateway earns next to nothing
    and may yet retry: below 10, a token a second comes by itself.

    Attributes:
        share: extra attempts over first ones, in the long run; 0 allows none at all.
        made: extra attempts that were allowed.
        refused: those that were not.
    """

    __slots__ = ("_clock", "_refilled_s", "_tokens", "made", "refused", "share")

    def __init__(self, share: float, clock: Clock) -> None:
        self.share = share
        self.made = 0
        self.refused = 0
        self._clock = clock
        self._tokens = _FLOOR
        self._refilled_s = clock.monotonic_s()

    def earned(self) -> None:
        """A first attempt is made."""
        tokens = self._tokens + self.share
        self._tokens = tokens if tokens < _MOST_EARNED else _MOST_EARNED  # noqa: FURB136 - faster

    def takes(self) -> bool:
        """Ask for an extra attempt; True if it may be made, and is then counted."""
        now_s = self._clock.monotonic_s()
        if self._tokens < _FLOOR:
            came = (now_s - self._refilled_s) * _FLOOR_PER_S
            self._tokens = min(self._tokens + came, _FLOOR)
        self._refilled_s = now_s
        if self._tokens < 1 or not self.share:
            self.refused += 1
            return False
        self._tokens -= 1
        self.made += 1
        return True


class HedgeTimer:
    """When a route hedges: its live P95, and what share of its inferences was hedged."""

    __slots__ = ("_first_tokens", "_hedged", "_inferences", "_whole")

    def __init__(self, clock: Clock) -> None:
        self._first_tokens = _Recent(clock)
        self._whole = _Recent(clock)
        self._inferences = 0.0
        self._hedged = 0.0

    def observe(self, seconds: float, *, streamed: bool) -> None:
        """Count how long a first attempt took.

        One that is closed because its hedge won, or that runs into a limit, counts with the time
        that it had taken by then. Left out, the slow ones would be missing and the delay sink.

        Args:
            seconds: from the start of the attempt to its first token, or its whole answer.
            streamed: the former; the two are kept apart.
        """
        (self._first_tokens if streamed else self._whole).add(seconds)

    def delay_s(self, hedge: Hedge, *, streamed: bool) -> float | None:
        """Seconds after which an attempt that has shown nothing is slow.

        Returns:
            `after_s`, or the P95 of the last 5 to 10 minutes, or None while there are fewer than
            50 samples.
        """
        if hedge.after_s is not None:
            return hedge.after_s
        return (self._first_tokens if streamed else self._whole).p95_s()

    def began(self) -> None:
        """An inference begins."""
        self._inferences += 1
        if self._inferences >= _HORIZON:
            # By number and not by time: a route with an inference a minute can hedge, too.
            self._inferences /= 2
            self._hedged /= 2

    def may_hedge(self, hedge: Hedge) -> bool:
        """Whether one more hedge stays inside `max_share` of the last 1,000 to 2,000 inferences."""
        return self._hedged + 1 <= self._inferences * hedge.max_share

    def hedged(self) -> None:
        """A hedge is made."""
        self._hedged += 1


class _Recent:
    """Durations of the last 5 to 10 minutes, in two windows that take turns."""

    __slots__ = ("_asked_s", "_before", "_clock", "_now", "_p95_s", "_since_s")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now = LogHistogram()  # microseconds
        self._before = LogHistogram()
        self._since_s = clock.monotonic_s()
        self._asked_s = self._since_s - _KEPT_FOR_S
        self._p95_s: float | None = None

    def add(self, seconds: float) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._since_s >= _WINDOW_S:
            self._turn(now_s)
        self._now.add(int(seconds * _US_PER_S))

    def p95_s(self) -> float | None:
        now_s = self._clock.monotonic_s()
        if now_s - self._asked_s >= _KEPT_FOR_S:
            self._asked_s = now_s
            if now_s - self._since_s >= _WINDOW_S:
                self._turn(now_s)
            self._p95_s = self._compute()
        return self._p95_s

    def _turn(self, now_s: float) -> None:
        passed = int((now_s - self._since_s) / _WINDOW_S)
        self._before = self._now if passed == 1 else LogHistogram()
        self._now = LogHistogram()
        self._since_s += passed * _WINDOW_S

    def _compute(self) -> float | None:
        both = LogHistogram()
        both.merge(self._before)
        both.merge(self._now)
        if both.count < _LEAST_SAMPLES:
            return None
        p95_us = both.percentile(_PERCENTILE)
        return None if p95_us is None else p95_us / _US_PER_S
