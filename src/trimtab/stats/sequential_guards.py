"""Several sequential tests as the guards of one canary, with one false-pause rate. Pure.

Each of k tests pauses the canary at evidence k/alpha (Bonferroni), so that all together do so with
probability alpha at most while the candidate is no worse in anything, however often one looks and
however the metrics hang together.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from trimtab.stats.sequential import Arm, RateTest
from trimtab.stats.sequential_amounts import AmountTest

__all__ = ["ALPHA", "GuardReading", "GuardVerdict", "Guards"]

ALPHA: Final = 0.05
"""Probability that a candidate which is no worse is ever paused, at most."""


class GuardReading(NamedTuple):
    """What one guard says.

    Attributes:
        metric: its name.
        worse: whether the evidence has ever reached what is needed.
        released, candidate: what was measured of the two versions.
        evidence: the largest e-value so far.
        needed: at which the canary is paused.
    """

    metric: str
    worse: bool
    released: Arm
    candidate: Arm
    evidence: float
    needed: float

    def reason(self) -> str:
        """The figures in a sentence."""
        return (
            f"{self.metric}: {_told(self.candidate)} of the candidate, {_told(self.released)} of "
            f"the released version; evidence {self.evidence:.3g}, pauses at {self.needed:.3g}"
        )


class GuardVerdict(NamedTuple):
    """What all guards of a canary say.

    Attributes:
        paused: whether the canary must be paused.
        metric: the reason; the one with the strongest evidence if there are several, "" if none.
        readings: of all guards, the strongest evidence first.
    """

    paused: bool
    metric: str
    readings: tuple[GuardReading, ...]


class Guards:
    """The guards of one canary.

    Attributes:
        tests: by metric. Feed them; the guards only look.
        needed: evidence at which one of them pauses the canary.
    """

    def __init__(self, tests: Mapping[str, RateTest | AmountTest], *, alpha: float = ALPHA) -> None:
        """Guards of these metrics, which stay the same until the canary ends.

        Raises:
            ValueError: there is no test, or alpha is not in 0..1.
        """
        if not tests:
            raise ValueError("A canary without a guard is never paused; give at least one test.")
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is {alpha}; it must be in 0..1 (0.05 for 1 in 20).")
        self.tests = dict(tests)
        self.needed = len(self.tests) / alpha

    def must_pause(self) -> bool:
        """Whether any guard has seen enough; fast enough for every inference."""
        needed = self.needed
        return any(test.stakes.peak >= needed for test in self.tests.values())

    def check(self) -> GuardVerdict:
        """The verdict with its reasons."""
        readings = [
            GuardReading(metric, test.peak >= self.needed, *test.arms(), test.peak, self.needed)
            for metric, test in self.tests.items()
        ]
        readings.sort(key=lambda reading: -reading.evidence)
        first = readings[0]
        return GuardVerdict(first.worse, first.metric if first.worse else "", tuple(readings))


def _told(arm: Arm) -> str:
    interval = f"{arm.low:.4g} to {arm.high:.4g}"
    return f"{arm.estimate:.4g} ({interval}) in {arm.inferences:,} inferences"
