"""How well a score separates two groups: area under the curve, and thresholds. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import exp, log, sqrt
from typing import Final, NamedTuple

__all__ = ["Area", "Threshold", "area", "threshold_figures", "threshold_for"]

_Z: Final = 1.959964
_ALPHA: Final = 0.05


class Area(NamedTuple):
    """Chance that a good row scores above a bad one; ties count half.

    Attributes:
        value: from 0 to 1.
        low, high: of the interval at 95 %.
        good, bad: rows of each.
    """

    value: float
    low: float
    high: float
    good: int
    bad: int


class Threshold(NamedTuple):
    """What comes of calling bad what scores below a value.

    Attributes:
        value: below which a row is called bad.
        recall: of the bad rows, those called so.
        false_alarms: of the good rows, those called bad.
    """

    value: float
    recall: float
    false_alarms: float

    @property
    def balanced(self) -> float:
        """Mean of the shares that are right in either group."""
        return (self.recall + 1 - self.false_alarms) / 2


def area(good: Sequence[float], bad: Sequence[float]) -> Area:
    """With the interval of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988) on log odds.

    Where no pair is out of order, or none in order, that interval has no width. Then the other end
    is the exact one for as many disjoint pairs as the smaller group has rows, all alike (Clopper
    and Pearson, Biometrika 26, 1934).

    Args:
        good: scores; one at least.
        bad: scores; one at least.
    """
    of_good = _shares_below(good, sorted(bad))
    of_bad = _shares_below(bad, sorted(good))
    value = sum(of_good) / len(good)
    pairs = min(len(good), len(bad))
    bound = (_ALPHA / 2) ** (1 / pairs)
    if value in {0.0, 1.0}:
        low, high = (bound, 1.0) if value else (0.0, 1 - bound)
        return Area(value, low, high, len(good), len(bad))
    variance = _variance(of_good) / len(good) + _variance(of_bad) / len(bad)
    wide = _Z * sqrt(variance) / (value * (1 - value))
    odds = log(value / (1 - value))
    low, high = _chance(odds - wide), _chance(odds + wide)
    return Area(value, low, high, len(good), len(bad))


def threshold_figures(good: Sequence[float], bad: Sequence[float], value: float) -> Threshold:
    """What a given threshold does to these rows."""
    return Threshold(
        value,
        sum(score < value for score in bad) / len(bad),
        sum(score < value for score in good) / len(good),
    )


def threshold_for(
    good: Sequence[float], bad: Sequence[float], *, most_false: float | None = None
) -> Threshold:
    """The best threshold for these rows.

    Args:
        good: scores; one at least.
        bad: scores; one at least.
        most_false: share of good rows that may be called bad; None for the best balance.
    """
    scores = sorted({*good, *bad})
    between = [(low + high) / 2 for low, high in pairwise(scores)]
    figures = [threshold_figures(good, bad, value) for value in [scores[0], *between]]
    if most_false is not None:
        figures = [one for one in figures if one.false_alarms <= most_false]
        return max(figures, key=lambda one: (one.recall, -one.value))
    return max(figures, key=lambda one: (one.balanced, -one.value))


def _shares_below(scores: Sequence[float], others: Sequence[float]) -> list[float]:
    """Of each score: the share of sorted others that are below it; half of those that tie."""
    return [
        (bisect_left(others, score) + bisect_right(others, score)) / 2 / len(others)
        for score in scores
    ]


def _variance(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _chance(log_odds: float) -> float:
    return 1 / (1 + exp(-min(max(log_odds, -700.0), 700.0)))
