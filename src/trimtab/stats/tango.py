"""Tango's score interval and test of a difference of paired rates. Pure.

Tango, "Equivalence test and confidence interval for the difference in proportions for the
paired-sample design" (Statistics in Medicine 17, 1998). The variance is the one under the
difference that is supposed, so that no case that differs does not mean certainty: of 100 cases
without any, the one-sided bound at 0.05 is 2.6 %.
"""

from typing import Final, TypeVar

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from trimtab.stats.rates import Interval
from trimtab.stats.units import Floats

__all__ = ["tango_interval", "tango_p", "tango_p_values"]

_NEXT_TO_ONE: Final = 1 - 1e-12
_LEAST: Final = 1e-300  # instead of a variance of 0
_Number = TypeVar("_Number", float, Floats)


def tango_interval(gains: int, losses: int, count: int, *, confidence: float = 0.95) -> Interval:
    """The interval of the difference of rates, candidate - baseline.

    Args:
        gains: cases on which only the candidate was right, or won.
        losses: cases on which only the baseline was right, or won.
        count: all cases; at least 1.
        confidence: two-sided.
    """
    z = float(ndtri((1 + confidence) / 2))
    return Interval(_low((gains, losses, count), z), -_low((losses, gains, count), z))


def tango_p(gains: int, losses: int, count: int, *, margin: float) -> float:
    """One-sided p value of "the candidate is worse by `margin` or more"; 0 < margin < 1."""
    return float(ndtr(-_score(float(gains), float(losses), (count, -margin))))


def tango_p_values(gains: Floats, losses: Floats, count: int, *, margin: float) -> Floats:
    """`tango_p` of whole arrays of counts."""
    return ndtr(-_score(gains, losses, (count, -margin)))


def _low(counts: tuple[int, int, int], z: float) -> float:
    gains, losses, count = counts
    if losses == count:
        return -1.0

    def apart(difference: float) -> float:
        return _score(float(gains), float(losses), (count, difference)) - z

    return brentq(apart, -_NEXT_TO_ONE, min((gains - losses) / count, _NEXT_TO_ONE), xtol=1e-12)


def _score(gains: _Number, losses: _Number, at: tuple[int, float]) -> _Number:
    """How far the data are above a supposed difference, in errors as they are under it."""
    count, difference = at
    line = (2 * count - gains + losses) * difference - gains - losses
    rest = losses * (difference * (difference - 1))
    lost = (abs(line * line - 8 * count * rest) ** 0.5 - line) / (4 * count)
    variance = (lost * 2 + difference * (1 - difference)) * count
    return (gains - losses - count * difference) / (abs(variance) + _LEAST) ** 0.5
