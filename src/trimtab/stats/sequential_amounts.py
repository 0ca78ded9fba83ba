"""Whether a candidate's mean amount (cost per request) is above the released version's. Pure.

Amounts are skewed, so each counts at most as much as a bound that was fixed before the canary
began: a high percentile of the released version's amounts. What is compared are the means of
amounts clipped there. For values in 0..1 the bets, and the proof that they are valid at every
look, are those of `sequential`: nowhere does it need that they are 0 or 1. Size of bets and
clipping of them: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting" (Journal of the Royal Statistical Society B 86, 2024).
"""

from collections.abc import Sequence
from math import ceil, prod, sqrt
from typing import Final

import msgspec

from trimtab.stats.sequential import BLOCK, Arm, Stakes

__all__ = ["CLIPPED_AT", "AmountTest", "Moments", "nearest_rank"]

CLIPPED_AT: Final = 0.99
"""The share of the reference that is below the bound at which amounts are clipped."""

_RAISED: Final = (0.1, 0.2, 0.35, 0.6, 1.0, 2.0, 5.0)  # by which bets suppose the mean is raised
_MOST_LOST: Final = 0.9  # of a stake, at one inference
_HIGHEST: Final = 0.9  # of the value around which bets are made
_PRIOR_MOST: Final = 500
_CHUNK: Final = 64  # the product of more factors could be too large for a float
_MOST_WAITING: Final = 4_000  # released amounts kept while no candidate's come
_LEAST_VARIANCE: Final = 1e-4
_Z: Final = 1.959964


class Moments(msgspec.Struct):
    """Count, sum and sum of squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Count values."""
        self.count += len(values)
        self.total += sum(values)
        self.squares += sum(value * value for value in values)

    def arm(self, scale: float) -> Arm:
        """The mean with its plain interval, `scale` times as large."""
        if not self.count:
            return Arm(0.0, 0.0, scale, 0)
        mean = self.total / self.count
        variance = max(self.squares / self.count - mean * mean, 0.0)
        half = _Z * sqrt(variance / self.count)
        return Arm(mean * scale, max(mean - half, 0.0) * scale, (mean + half) * scale, self.count)


class AmountTest(msgspec.Struct):
    """A sequential test of "the candidate's mean clipped amount is above the released version's".

    It can be encoded, and goes on where it was after a restart.

    Attributes:
        bound: at which amounts are clipped.
        margin: how much more is still allowed, as a share: 0.1 for 10 %. A candidate's amount is
            divided by 1 + margin before it is clipped.
        stakes: the evidence.
        supposed: moments of the reference.
        released, candidate: moments of closed blocks. Like `supposed` in units of the bound.
        open_released, open_candidate: the values of the block that is still open.
    """

    bound: float
    margin: float
    supposed: Moments
    stakes: Stakes
    released: Moments
    candidate: Moments
    open_released: list[float]
    open_candidate: list[float]

    @classmethod
    def begin(cls, reference: Sequence[float], *, margin: float = 0.0) -> "AmountTest":
        """A test without any evidence.

        Args:
            reference: amounts of the released version before the canary, 0 or more, in any order.
            margin: the share by which the candidate's mean may be larger.

        Raises:
            ValueError: the reference has no positive amount up to its 99th percentile, or the
                margin is below 0.
        """
        bound = nearest_rank(reference, CLIPPED_AT) if reference else 0.0
        if bound <= 0:
            raise ValueError(
                "The reference has no positive amounts, so nothing can be compared with it; give "
                "amounts of the released version from before the canary."
            )
        if margin < 0:
            raise ValueError(f"margin is {margin}; it must be 0 or more (0.1 for 10 %).")
        supposed = Moments()
        few = reference[:: ceil(len(reference) / _PRIOR_MOST)]  # fair even if they are sorted
        supposed.add([min(amount / bound, 1.0) for amount in few])
        stakes = Stakes.on(len(_RAISED))
        return cls(bound, margin, supposed, stakes, Moments(), Moments(), [], [])

    @property
    def peak(self) -> float:
        """The largest evidence so far."""
        return self.stakes.peak

    def add_released(self, amounts: Sequence[float]) -> None:
        """Count amounts of the released version; far too many for one block are left out.

        Raises:
            ValueError: one is below 0.
        """
        self._add(self.open_released, amounts, 1 / self.bound)
        del self.open_released[_MOST_WAITING:]

    def add_candidate(self, amounts: Sequence[float]) -> None:
        """Count amounts of the candidate.

        Raises:
            ValueError: one is below 0.
        """
        self._add(self.open_candidate, amounts, 1 / self.bound / (1 + self.margin))

    def arms(self) -> tuple[Arm, Arm]:
        """The mean clipped amounts of closed blocks: the released version's and the candidate's."""
        return (
            self.released.arm(self.bound),
            self.candidate.arm(self.bound * (1 + self.margin)),
        )

    def _add(self, waiting: list[float], amounts: Sequence[float], scale: float) -> None:
        if amounts and min(amounts) < 0:
            raise ValueError(f"An amount is {min(amounts)}; amounts must be 0 or more.")
        waiting += [amount * scale if amount * scale < 1 else 1.0 for amount in amounts]
        while len(self.open_candidate) >= BLOCK and len(self.open_released) >= BLOCK:
            self._close()

    def _close(self) -> None:
        """Settle the block, or the first part of it, where it is too long."""
        size = min(len(self.open_candidate), _CHUNK)
        share = len(self.open_released) * size // len(self.open_candidate)
        candidate = self.open_candidate[:size]
        released = self.open_released[: max(share, BLOCK)]
        factors = self._factors(released, candidate)
        self.stakes.multiply(factors)
        self.released.add(released)
        self.candidate.add(candidate)
        del self.open_released[: len(released)]
        del self.open_candidate[:size]

    def _factors(self, released: Sequence[float], candidate: Sequence[float]) -> list[float]:
        """What the block makes of the stakes."""
        count = self.supposed.count + self.released.count
        mean = (self.supposed.total + self.released.total) / count
        squares = (self.supposed.squares + self.released.squares) / count
        variance = max(squares - mean * mean, _LEAST_VARIANCE)
        ratio = len(candidate) / len(released)
        share = 1 / (1 + ratio)
        found: list[float] = []
        for raised in _RAISED:
            step = raised * mean
            middle = min(mean + (1 - share) * step, _HIGHEST)
            step *= share
            bet = min(
                step / (variance + step * step),
                _MOST_LOST / middle,
                _MOST_LOST / ratio / (1 - middle),
            )
            hedge = bet * ratio
            left, kept = 1 - bet * middle, 1 + hedge * middle
            won = prod([left + bet * value for value in candidate])
            found.append(won * prod([kept - hedge * value for value in released]))
        return found


def nearest_rank(values: Sequence[float], q: float) -> float:
    """The smallest of `values`, at least one, that at least the share `q` of them do not exceed.

    The threshold of a test of a percentile: a `RateTest` of inferences slower than the released
    version's `nearest_rank(latencies, 0.95)` before the canary is one of the 95th percentile. Since
    both versions are held against the same threshold, it need not be exact.
    """
    return sorted(values)[max(ceil(q * len(values)), 1) - 1]
