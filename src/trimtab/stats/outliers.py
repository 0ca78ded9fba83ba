"""Who is far above the rest, told in a way that the far ones cannot hide.

On a log scale, because amounts per user are heavy-tailed. In three steps:

1. Median and median absolute deviation (MAD) say who is suspect. Unlike mean and standard
   deviation they do not move when one item is extreme: Iglewicz and Hoaglin, "How to detect and
   handle outliers" (ASQC, 1993).
2. The MAD of few items is rough, so the verdict takes mean and standard deviation of those that
   are not suspect. From the smallest suspect upwards: one that is not too far from all below it
   joins them; at the first that is, it and all above it are outliers. Outward testing, as in
   Rosner, "Percentage points for a generalized ESD many-outlier procedure" (Technometrics 25,
   1983), so that two outliers do not hide each other.
3. "Too far" depends on how many items there are: each has the same small chance, and all of a
   clean population together give so many false alarms as are allowed (Bonferroni). The quantile
   is Student's, because the standard deviation is itself an estimate.
"""

from collections.abc import Mapping, Sequence
from math import exp, expm1, log, sqrt
from statistics import NormalDist, fmean, median
from typing import Final, NamedTuple

__all__ = [
    "CHANGE_CHANCE",
    "FALSE_ALARMS",
    "FEWEST_DAYS",
    "Change",
    "Outlier",
    "find_change",
    "find_outliers",
    "student_quantile",
]

FALSE_ALARMS: Final = 0.03
"""How many items of a clean log-normal population are flagged, on average, all together."""

CHANGE_CHANCE: Final = 0.001
"""Probability that somebody whose habits are the same is flagged on a day, at most."""

FEWEST_DAYS: Final = 7
"""Spans with spending that are needed before something can be a change."""

_MAD_TO_SIGMA: Final = 1 / 0.6745
_MEAN_AD_TO_SIGMA: Final = 1.253314
_SUSPECT: Final = 2.5  # in robust deviations; whom this wrongly suspects, the verdict acquits
_LOWEST: Final = 3.0  # whoever spends next to nothing counts as if he were so far below
_LEAST_SIGMA: Final = 0.25  # among near-equal amounts a hair's difference has a huge score
_LEAST_RATIO: Final = 3.0
_FEWEST: Final = 5  # below this a median says nothing about the rest
_ROUNDED_DOWN: Final = 1 - 1e-9

_NORMAL: Final = NormalDist()


class Outlier(NamedTuple):
    """One flagged item, with the reason in numbers.

    Attributes:
        name: whose amount it is.
        value: the amount.
        times_median: the amount as a multiple of the median of all positive amounts.
        score: how far its logarithm is above the mean of the rest, in their standard deviations.
        cutoff: the score from which on items of this population are flagged.
    """

    name: str
    value: float
    times_median: float
    score: float
    cutoff: float


class Change(NamedTuple):
    """An amount that is far above its own past.

    Attributes:
        usual: the median of the past amounts.
        times_usual: the amount as a multiple of it.
        score, cutoff: as in `Outlier`.
    """

    usual: float
    times_usual: float
    score: float
    cutoff: float


def find_outliers(
    amounts: Mapping[str, float], *, false_alarms: float = FALSE_ALARMS
) -> list[Outlier]:
    """Items far above the others, the largest first.

    Amounts <= 0 have no logarithm and take no part. With fewer than five positive amounts nothing
    is flagged, nor is anything under three times the median. At most one in four can be an outlier,
    and of many at most one in twenty: more are a population of their own, not outliers.

    Args:
        amounts: by name.
        false_alarms: how many may be flagged of a clean population, on average.
    """
    ordered = sorted(amount for amount in amounts.values() if amount > 0)
    if len(ordered) < _FEWEST:
        return []
    logs = [log(amount) for amount in ordered]  # in order as well, so that their median is at hand
    rest = _rest_below_far(logs, false_alarms / len(logs))
    if rest is None:
        return []
    typical = median(ordered)
    # Most are not far enough away: only the others are worth an object.
    least = max(_LEAST_RATIO * typical, exp(rest.least_log) * _ROUNDED_DOWN)
    found = [
        Outlier(name, amount, amount / typical, rest.score(log(amount)), rest.cutoff)
        for name, amount in amounts.items()
        if amount >= least and log(amount) >= rest.least_log
    ]
    return sorted(found, key=lambda outlier: (-outlier.value, outlier.name))


def find_change(past: Sequence[float], now: float, *, chance: float) -> Change | None:
    """Whether an amount is far above those of its own past, all of spans of the same length.

    Spans in which nothing was spent take no part: whoever comes once a week is compared with the
    days on which he came. With fewer than seven others nothing is said, nor under three times
    their median.

    Args:
        past: amounts of the spans before, in any order.
        now: the amount of the last span.
        chance: the probability of a false alarm if nothing has changed.
    """
    known = [amount for amount in past if amount > 0]
    if len(known) < FEWEST_DAYS or now <= 0:
        return None
    usual = median(known)
    if now < _LEAST_RATIO * usual:
        return None
    rest = _rest_below_far(sorted(map(log, (*known, now))), chance)
    if rest is None or log(now) < rest.least_log:
        return None
    return Change(usual, now / usual, rest.score(log(now)), rest.cutoff)


def student_quantile(upper: float, degrees: int) -> float:
    """The value that Student's t exceeds with probability `upper` (at most 0.5).

    Wallace, "Bounds on normal approximations to Student's and the chi-square distributions"
    (Annals of Mathematical Statistics 30, 1959), solved for t. Down to a probability of 1e-5 it is
    right within 1 % from ten degrees of freedom on; of fewer it is too large, so that the errors
    are on the side of fewer alarms: by at most 8 % down to 1e-3.
    """
    z = -_NORMAL.inv_cdf(upper) * (8 * degrees + 3) / (8 * degrees + 1)
    return sqrt(degrees * expm1(z * z / degrees))


class _Rest(NamedTuple):
    """Everyone below the first outlier, on the log scale."""

    mean: float
    deviation: float  # of one more of the same kind from this mean
    cutoff: float
    least_log: float  # the first outlier

    def score(self, value: float) -> float:
        return (value - self.mean) / self.deviation


def _rest_below_far(logs: Sequence[float], chance: float) -> _Rest | None:
    """The rest, if `logs`, which ascend, have outliers; each has `chance` to be wrongly one."""
    middle = median(logs)
    robust = _spread(sorted(abs(value - middle) for value in logs))
    if robust == 0:
        return None
    robust = max(robust, _LEAST_SIGMA)
    begin = len(logs)
    first_allowed = begin - _most_outliers(begin)
    while begin > first_allowed and logs[begin - 1] > middle + _SUSPECT * robust:
        begin -= 1
    lowest = middle - _LOWEST * robust
    bounded = [max(value, lowest) for value in logs[:begin]]
    mean = fmean(bounded)
    squares = sum((value - mean) ** 2 for value in bounded)
    for count in range(begin, len(logs)):
        value = logs[count]
        deviation = max(sqrt(squares / (count - 1)), _LEAST_SIGMA) * sqrt(1 + 1 / count)
        cutoff = student_quantile(chance, count - 1)
        if value - mean > cutoff * deviation:
            return _Rest(mean, deviation, cutoff, value)
        # Mean and squares with one more: Welford, "Note on a method for calculating corrected
        # sums of squares and products" (Technometrics 4, 1962).
        step = value - mean
        mean += step / (count + 1)
        squares += step * (value - mean)
    return None


def _most_outliers(count: int) -> int:
    return min(count // 4, 3 + count // 20)


def _spread(deviations: Sequence[float]) -> float:
    """A robust stand-in for the standard deviation; where most are equal, the mean deviation."""
    return median(deviations) * _MAD_TO_SIGMA or fmean(deviations) * _MEAN_AD_TO_SIGMA
