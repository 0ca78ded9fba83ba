"""Days of one metric held against the first of them: the p-values of `shift`. Pure."""

from collections.abc import Sequence
from math import asin, exp, lgamma, log, sqrt
from statistics import fmean, median
from typing import Final, NamedTuple

from typing_extensions import override

from trimtab.stats.sequential_amounts import nearest_rank

__all__ = ["WEEK", "AmountDays", "DayAmounts", "DayRate", "Days", "RateDays", "p_values"]

WEEK: Final = 7

# Days up to one that are taken together, each with how many tests it counts for (weighted
# Bonferroni): three are what a change is to be found within.
_WINDOWS: Final = ((1, 6.0), (3, 1.5), (7, 6.0))
_FEWEST: Final = 3  # days of the first week with traffic
_IQR_TO_SIGMA: Final = 1 / 1.34898
_MAD_TO_SIGMA: Final = 1.4826
_TRIMEAN_VARIANCE: Final = 1.2  # of a normal sample, in variances of its mean
_LEAST_VARIANCE: Final = 1e-4  # 1 %: amounts that hardly ever differ prove little if they do
_FEW: Final = 14  # below so many rests the outliers among them cannot be told
_FAR: Final = 3.5
_MOST_DEGREES: Final = 120
_LEAST_P: Final = 1e-15  # what is left of the digits of 1 - 1e-16
_TO_MATTER: Final = 0.05  # above it, how large a p-value is makes no difference


class DayRate(NamedTuple):
    """A day of a rate: hits among all."""

    hits: int
    total: int


class DayAmounts(NamedTuple):
    """A day of an amount: how many there were, and their quartiles."""

    total: int
    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "DayAmounts":
        """The day of these values."""
        if not values:
            return cls(0, 0.0, 0.0, 0.0)
        return cls(len(values), *(nearest_rank(values, q) for q in (0.25, 0.5, 0.75)))


class Days:
    """The days of one metric, each with a level that is about normal.

    Args:
        levels: None where there was no traffic.
        sampling: the variance of each level that sampling explains.
    """

    def __init__(self, levels: Sequence[float | None], sampling: Sequence[float]) -> None:
        self._levels = levels
        self._sampling = sampling
        self._spreads = _spreads_by_week(levels)

    def has(self, day: int) -> bool:
        """Whether there was traffic."""
        return self._levels[day] is not None

    def mean(self, first: int, last: int) -> tuple[float, int]:
        """The mean level of some days, and how many of them had traffic."""
        levels = [level for level in self._levels[first : last + 1] if level is not None]
        return sum(levels) / (len(levels) or 1), len(levels)

    def shown(self, first: int, last: int) -> float:
        """The rate, or the typical amount, of some days."""
        return exp(self.mean(first, last)[0])

    def p_value(self, first: int, last: int) -> float:
        """The probability that some days differ so much from the first week; one has traffic."""
        usual, usual_days = self.mean(0, WEEK - 1)
        level, days = self.mean(first, last)
        spread = self._spreads[first // WEEK]
        sampled = sum(self._sampling[first : last + 1]) / days**2
        sampled += sum(self._sampling[:WEEK]) / usual_days**2
        of_days = max(spread.variance, _LEAST_VARIANCE) * (1 / days + 1 / usual_days)
        return _student_p((level - usual) / sqrt(max(of_days, sampled)), spread.degrees)


class AmountDays(Days):
    """The middle of a day's amounts on a log scale: Tukey's trimean, less noisy than the median.

    Where a lower quartile is 0 it is the median, on all days.
    """

    def __init__(self, days: Sequence[DayAmounts]) -> None:
        positive = [day if day.total and day.middle > 0 else None for day in days]
        middle_of = _log_trimean if all(day.low > 0 for day in positive if day) else _log_median
        super().__init__(
            [middle_of(day) if day else None for day in positive],
            [_sampling_variance(day) if day else 0.0 for day in positive],
        )


class RateDays(Days):
    """Rates, whose variance the arcsine makes the same everywhere.

    Anscombe, "The transformation of Poisson, binomial and negative-binomial data" (Biometrika 35,
    1948). It takes the skewness out of the differences between days as well; Fisher's exact test
    has to agree, as days of few hits are not normal in any scale.
    """

    def __init__(self, days: Sequence[DayRate]) -> None:
        self._days = days
        super().__init__(
            [asin(sqrt((d.hits + 0.375) / (d.total + 0.75))) if d.total else None for d in days],
            [1 / (4 * day.total + 2) if day.total else 0.0 for day in days],
        )

    @override
    def shown(self, first: int, last: int) -> float:
        hits, count = self._sum(first, last)
        return hits / count

    @override
    def p_value(self, first: int, last: int) -> float:
        p = super().p_value(first, last)
        if p > _TO_MATTER:
            return p
        return max(p, _fisher_p(self._sum(first, last), self._sum(0, WEEK - 1)))

    def _sum(self, first: int, last: int) -> DayRate:
        days = self._days[first : last + 1]
        return DayRate(sum(day.hits for day in days), sum(day.total for day in days))


def p_values(days: Days, count: int) -> list[float]:
    """One for each day; 1 in the first week, and where nothing can be said."""
    if sum(days.has(day) for day in range(min(WEEK, count))) < _FEWEST:
        return [1.0] * count
    found = [1.0] * min(WEEK, count)
    for day in range(WEEK, count):
        least = 1.0
        if days.has(day):
            windows = [(day - width + 1, tests) for width, tests in _WINDOWS]
            least = min(n * days.p_value(at, day) for at, n in windows if at >= WEEK)
        found.append(min(least, 1.0))
    return found


class _Spread(NamedTuple):
    """How much days differ, and the degrees of freedom of that."""

    variance: float
    degrees: int


def _spreads_by_week(levels: Sequence[float | None]) -> list[_Spread]:
    """The spread within each of the first n weeks, at place n; at place 0 there is none."""
    spreads, rests, degrees = [_Spread(0.0, 0)], list[float](), 0
    for first in range(0, len(levels) - WEEK + 1, WEEK):
        week = [level for level in levels[first : first + WEEK] if level is not None]
        if len(week) > 1:
            mean, wider = fmean(week), sqrt(len(week) / (len(week) - 1))
            rests += [wider * (level - mean) for level in week]
            degrees += len(week) - 1
        spreads.append(_Spread(_robust_variance(rests), degrees))
    return spreads


def _robust_variance(rests: Sequence[float]) -> float:
    """The mean square around 0; those far out count less, once there are enough to tell them."""
    if not rests:
        return 0.0
    squares = [rest * rest for rest in rests]
    if len(rests) >= _FEW:
        most = median(squares) * (_FAR * _MAD_TO_SIGMA) ** 2
        if most:  # or else most days are equal, and only the others tell anything
            squares = [min(square, most) for square in squares]
    return fmean(squares)


def _log_trimean(day: DayAmounts) -> float:
    return (log(day.low) + 2 * log(day.middle) + log(day.high)) / 4


def _log_median(day: DayAmounts) -> float:
    return log(day.middle)


def _sampling_variance(day: DayAmounts) -> float:
    """Of the middle of a day, as far as sampling explains it; amounts are about log-normal."""
    if day.low <= 0 or day.high <= day.low:
        return 0.0
    sigma = log(day.high / day.low) * _IQR_TO_SIGMA
    return _TRIMEAN_VARIANCE * sigma * sigma / day.total


def _student_p(t: float, degrees: int) -> float:
    """Both tails of Student's t; odd degrees of freedom count as one fewer.

    Abramowitz and Stegun, "Handbook of mathematical functions" (1964), 26.7.4.
    """
    degrees = min(degrees, _MOST_DEGREES) // 2 * 2
    if not degrees:
        return 1.0
    cosine = degrees / (degrees + t * t)
    term = total = 1.0
    for at in range(2, degrees, 2):
        term *= cosine * (at - 1) / at
        total += term
    return max(1 - total * sqrt(1 - cosine), _LEAST_P)


def _fisher_p(one: DayRate, two: DayRate) -> float:
    """Fisher's exact test of two rates: twice the smaller tail."""
    hits, count = one.hits + two.hits, one.total + two.total
    upwards = one.hits * count >= hits * one.total
    if not upwards:  # the upper tail of misses
        one = DayRate(one.total - one.hits, one.total)
        hits = count - hits
    at = one.hits
    term = exp(
        _log_choose(hits, at)
        + _log_choose(count - hits, one.total - at)
        - _log_choose(count, one.total)
    )
    total = 0.0
    while term > _LEAST_P * total:
        total += term
        term *= (hits - at) * (one.total - at)
        at += 1
        term /= at * (count - hits - one.total + at)
    return min(2 * total, 1.0)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
