"""Who is far above the rest, told in a way that the far ones cannot hide.

Modified z-scores of Iglewicz and Hoaglin, "How to detect and handle outliers" (ASQC, 1993):
median and median absolute deviation (MAD) instead of mean and standard deviation, because one
extreme user moves the latter two. On a log scale, because amounts per user are heavy-tailed.
"""

from collections.abc import Mapping
from math import exp, log
from statistics import fmean, median
from typing import Final, NamedTuple

__all__ = ["Outlier", "find_outliers"]

_CUTOFF: Final = 3.5  # Iglewicz & Hoaglin's recommendation
_MAD_TO_SIGMA: Final = 1 / 0.6745
_MEAN_AD_TO_SIGMA: Final = 1.253314
_ROUNDED_DOWN: Final = 1 - 1e-9
_FEWEST: Final = 4  # below this a median says nothing about the rest
_LEAST_RATIO: Final = 2.0  # among near-equal amounts a hair's difference has a huge score


class Outlier(NamedTuple):
    """One flagged item, with the reason in numbers.

    Attributes:
        name: whose amount it is.
        value: the amount.
        times_median: the amount as a multiple of the median of all positive amounts.
        score: the modified z-score on the log scale; flagged above 3.5.
    """

    name: str
    value: float
    times_median: float
    score: float


def find_outliers(amounts: Mapping[str, float]) -> list[Outlier]:
    """Items far above the others, the largest first.

    Amounts <= 0 have no logarithm and take no part. With fewer than four positive amounts nothing
    is flagged, nor is anything under twice the median. Where more than half of the amounts are
    equal (MAD 0), the mean absolute deviation stands in, as the same source recommends.
    """
    ordered = sorted(amount for amount in amounts.values() if amount > 0)
    if len(ordered) < _FEWEST:
        return []
    logs = [log(amount) for amount in ordered]  # in order as well, so that their median is at hand
    middle, typical = median(logs), median(ordered)
    sigma = _spread([abs(value - middle) for value in logs])
    if sigma == 0:
        return []
    # Most are not far enough away: only the others are worth an object.
    least = max(_LEAST_RATIO * typical, exp(middle + _CUTOFF * sigma) * _ROUNDED_DOWN)
    found = [
        Outlier(name, amount, amount / typical, (log(amount) - middle) / sigma)
        for name, amount in amounts.items()
        if amount >= least
    ]
    flagged = [o for o in found if o.score > _CUTOFF and o.times_median >= _LEAST_RATIO]
    return sorted(flagged, key=lambda outlier: -outlier.value)


def _spread(deviations: list[float]) -> float:
    """A robust stand-in for the standard deviation."""
    return median(deviations) * _MAD_TO_SIGMA or fmean(deviations) * _MEAN_AD_TO_SIGMA
