"""Whether a candidate's rate of bad inferences is above that of the released version. Pure.

The test may be looked at after every inference, as often as one likes: the probability that its
evidence ever reaches `1/alpha`, while the candidate is no worse, is at most alpha.

How. Both streams are cut into blocks that close as soon as each has a few inferences. In a block
of `n` candidate and `N` released inferences, a bet multiplies its stake by `1 + b (x - v - margin)`
for each candidate inference and by `1 - h (x - v)` for each released one, where x is 1 for a bad
inference and 0 for a good one, `h = b n / N`, and `v` and `b >= 0` are chosen before the block's
outcomes are seen, so that no factor is below 0.

Why it is valid. Let `p` be the mean chance of a bad candidate inference in the block, `P` that of
a bad released one, and let the outcomes be independent given all blocks before and given which
inferences make up this one. Since `1 + y <= exp(y)`, the expectation of the block's product is at
most `exp(b n (p - v - margin) - h N (P - v)) = exp(b n (p - P - margin))`, which is at most 1
while `p <= P + margin`. So the stake is a non-negative supermartingale in the filtration of closed
blocks, with the make-up of the next block known; so is a mixture of bets, and so is moving money
between them after a block. Ville's inequality (1939) gives the bound at every time at once. Rates
may differ from block to block: an incident that hits both versions alike is no evidence.

What is assumed. The make-up of a block does not depend on its outcomes: if bad inferences end
sooner, count them in the order in which they began. Inferences of one user are not independent of
each other: feed at most a few of each user.

Without a margin `v` and `b` are those of the growth-optimal E-variable of two Bernoulli streams:
Turner, Ly, Gruenwald, "Generic E-variables for exact sequential k-sample tests that allow for
optional stopping" (Journal of Statistical Planning and Inference 230, 2024). Mixtures: Robbins,
"Statistical methods related to the law of the iterated logarithm" (Annals of Mathematical
Statistics 41, 1970). Moving money, so that a change that comes late is found as well: Herbster and
Warmuth, "Tracking the best expert" (Machine Learning 32, 1998).
"""

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import Final, NamedTuple

import msgspec

__all__ = ["BLOCK", "Arm", "RateTest", "Stakes", "wilson"]

BLOCK: Final = 4
"""Inferences of either version after which a block closes; evidence changes only then."""

_TIMES: Final = (1.25, 1.5, 2.0, 3.0, 4.5, 8.0, 20.0)  # by which bets suppose the odds are raised
_MOVED: Final = 0.002  # of all money, after each block
_UNTOUCHED: Final = 0.1  # of the money is bet on nothing, to have some left for a late change
_PRIOR_BAD: Final = 0.5  # without a reference the rate is supposed to be 1 in 40, for a start
_PRIOR_COUNT: Final = 20.0
_PRIOR_MOST: Final = 500.0  # as much as an older reference weighs
_HIGHEST: Final = 0.98  # of a supposed rate
_MOST_LOST: Final = 0.98  # of a stake, at one inference
_MOST_GAIN: Final = 300.0  # of a logarithm in one block
_MOST_MONEY: Final = 1e120
_Z: Final = 1.959964


class Arm(NamedTuple):
    """What is known of one version.

    Attributes:
        estimate: the rate, or the mean amount.
        low, high: of the plain 95 % interval, which is right for one look.
        inferences: that it was estimated from.
    """

    estimate: float
    low: float
    high: float
    inferences: int


class Stakes(msgspec.Struct):
    """Money on several bets, 1 in all at the start; what there is of it is the evidence.

    Attributes:
        untouched: not on any bet.
        stakes: on each bet.
        evidence: an e-value: as many times as much as at the start. 1/alpha or more happens with
            probability alpha at most, if the candidate is no worse.
        peak: the largest evidence so far, for which the same is true.
    """

    untouched: float
    stakes: list[float]
    evidence: float = 1.0
    peak: float = 1.0

    @classmethod
    def on(cls, bets: int) -> "Stakes":
        """The same on each of some bets."""
        return cls(_UNTOUCHED, [(1 - _UNTOUCHED) / bets] * bets)

    def multiply(self, factors: Sequence[float]) -> None:
        """Settle a block: one factor, 0 or more, for each bet."""
        stakes = [held * by for held, by in zip(self.stakes, factors, strict=True)]
        total = self.untouched + sum(stakes)
        if total > _MOST_MONEY:  # some is thrown away: what is left is evidence enough
            stakes = [min(held, _MOST_MONEY) for held in stakes]
            total = self.untouched + sum(stakes)
        added = _MOVED * total
        self.untouched += _UNTOUCHED * added - _MOVED * self.untouched
        added *= (1 - _UNTOUCHED) / len(stakes)
        self.stakes = [held - _MOVED * held + added for held in stakes]
        self.evidence = total
        self.peak = max(self.peak, total)


class RateTest(msgspec.Struct):
    """A test of "the candidate's rate is above the released version's"; it can be encoded.

    Attributes:
        margin: 0 to 1, how much worse is still allowed.
        stakes: the evidence.
        supposed_bad, supposed_count: what is supposed of the released version at the start.
        released_bad, released_count, candidate_bad, candidate_count: all that was counted.
        open_*: those of them that are in the block that is still open.
    """

    margin: float
    supposed_bad: float
    supposed_count: float
    stakes: Stakes
    released_bad: int = 0
    released_count: int = 0
    candidate_bad: int = 0
    candidate_count: int = 0
    open_released_bad: int = 0
    open_released: int = 0
    open_candidate_bad: int = 0
    open_candidate: int = 0

    @classmethod
    def begin(
        cls, *, margin: float = 0.0, reference_bad: int = 0, reference_count: int = 0
    ) -> "RateTest":
        """A test without any evidence.

        Args:
            margin: how much worse the candidate's rate may be; 0.02 for two points.
            reference_bad: of the released version before the canary, if known. It makes the test
                quicker, and cannot make it wrong.
            reference_count: that these are of.

        Raises:
            ValueError: the margin is not in 0..1, or the reference has more bad ones than all.
        """
        if not 0 <= margin < 1:
            raise ValueError(f"margin is {margin}; it must be in 0..1 (0.02 for two points).")
        _check(reference_bad, reference_count)
        scale = min(1.0, _PRIOR_MOST / max(reference_count, 1))
        bad = _PRIOR_BAD + scale * reference_bad
        count = (scale * reference_count) or _PRIOR_COUNT
        return cls(margin, bad, count + 2 * _PRIOR_BAD, Stakes.on(len(_TIMES)))

    @property
    def peak(self) -> float:
        """The largest evidence so far."""
        return self.stakes.peak

    def add_released(self, bad: int, count: int = 1) -> None:
        """Count inferences of the released version.

        Raises:
            ValueError: `bad` is not in 0..count.
        """
        _check(bad, count)
        self.open_released_bad += bad
        self.open_released += count
        if self.open_candidate >= BLOCK and self.open_released >= BLOCK:
            self._close()

    def add_candidate(self, bad: int, count: int = 1) -> None:
        """Count inferences of the candidate.

        Raises:
            ValueError: `bad` is not in 0..count.
        """
        _check(bad, count)
        self.open_candidate_bad += bad
        self.open_candidate += count
        if self.open_candidate >= BLOCK and self.open_released >= BLOCK:
            self._close()

    def arms(self) -> tuple[Arm, Arm]:
        """The released version and the candidate, with the open block."""
        return (
            wilson(
                self.released_bad + self.open_released_bad,
                self.released_count + self.open_released,
            ),
            wilson(
                self.candidate_bad + self.open_candidate_bad,
                self.candidate_count + self.open_candidate,
            ),
        )

    def _close(self) -> None:
        self.stakes.multiply(self._factors())
        self.released_bad += self.open_released_bad
        self.released_count += self.open_released
        self.candidate_bad += self.open_candidate_bad
        self.candidate_count += self.open_candidate
        self.open_released_bad = self.open_released = 0
        self.open_candidate_bad = self.open_candidate = 0

    def _factors(self) -> list[float]:
        """What the open block makes of stakes on odds so many times those that are allowed."""
        rate = (self.supposed_bad + self.released_bad) / (self.supposed_count + self.released_count)
        edge = min(rate + self.margin, _HIGHEST)
        ratio = self.open_candidate / self.open_released
        share = ratio / (1 + ratio)
        bad, released_bad = self.open_candidate_bad, self.open_released_bad
        good, released_good = self.open_candidate - bad, self.open_released - released_bad
        found: list[float] = []
        for times in _TIMES:
            supposed = times * edge / (1 - edge + times * edge)
            bound = edge + (supposed - edge) * share
            middle = bound - self.margin
            hedge = ratio * (supposed - bound) / (bound * (1 - bound))
            if hedge * (1 - middle) > _MOST_LOST:
                hedge = _MOST_LOST / (1 - middle)
            bet = hedge / ratio
            gain = released_good * log(1 + hedge * middle) + good * log(1 - bet * bound)
            if bad:
                gain += bad * log(1 + bet * (1 - bound))
            if released_bad:
                gain += released_bad * log(1 - hedge * (1 - middle))
            found.append(exp(min(gain, _MOST_GAIN)))
        return found


def wilson(bad: int, count: int) -> Arm:
    """A rate with its score interval; of nothing it is 0, in 0..1.

    Wilson, "Probable inference, the law of succession, and statistical inference" (Journal of the
    American Statistical Association 22, 1927).
    """
    if not count:
        return Arm(0.0, 0.0, 1.0, 0)
    rate, square = bad / count, _Z * _Z / count
    middle = rate + square / 2
    half = _Z * sqrt((rate * (1 - rate) + square / 4) / count)
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    return Arm(rate, max(low, 0.0) if bad else 0.0, min(high, 1.0), count)


def _check(bad: int, count: int) -> None:
    if not 0 <= bad <= count:
        raise ValueError(f"{bad} of {count} inferences are bad; give 0..{count}, or more in all.")
