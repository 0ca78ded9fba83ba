"""On which day a version's behaviour moved away from that of its own first week. Pure.

Each metric has one value a day: a rate (format validity, refusals, thumbs), or the median of an
amount (output length, cost, latency) on a log scale. The last day, the last three and the last
seven up to each day after the first week are held against that week. How much days differ anyway
is taken from all whole weeks before those days: the spread inside weeks, so that habits of weekdays
belong to it and a change of level between weeks does not. It is an estimate from few days, so the
quantile is Student's: in the second week only large changes can be found.

- Amounts: the shift of log medians. The spread is at least what sampling explains (Kendall and
  Stuart, "The advanced theory of statistics", volume 1: the variance of a median).
- Rates: the difference of pooled rates, with the variance of the binomial times the overdispersion
  between days (Finney, "Probit analysis", 1947; as control charts do it: Laney, "Improved control
  charts for attributes", Quality Engineering 14, 2002). Since rare events are skewed, Fisher's exact
  test must find the same.

All p-values of all metrics and days are one family (Benjamini and Hochberg, "Controlling the false
discovery rate", Journal of the Royal Statistical Society B 57, 1995). Days of the quarter to come
count as tests already, with p = 1: then a look on each day finds nothing that the look at the end
would not find, and one false-alarm rate holds for all looks together.
"""

from collections.abc import Mapping, Sequence
from math import exp, isfinite, log
from typing import Final, NamedTuple

from trimtab.stats.shift_days import AmountDays, DayAmounts, DayRate, RateDays, Tested

__all__ = [
    "FALSE_DISCOVERIES",
    "FEWEST_DAYS",
    "LEAST_POINTS",
    "LEAST_RATIO",
    "DayAmounts",
    "DayRate",
    "Shift",
    "find_shifts",
]

FALSE_DISCOVERIES: Final = 0.05
"""Probability of any alarm for a version that does not change, and the share of false alarms."""

FEWEST_DAYS: Final = 7
"""The first days that all others are compared with; three of them need traffic."""

LEAST_RATIO: Final = 1.1
"""A change of an amount by less than this factor is below the floor."""

LEAST_POINTS: Final = 0.02
"""A change of a rate by less than this is below the floor."""

_HORIZON: Final = 90  # days that count as tests in any case


class Shift(NamedTuple):
    """A metric that is no longer what it was in the first week.

    Attributes:
        metric: its name.
        began: the day, 0 for the first of all, from which on it is different.
        found: the first day on which it could be told.
        before, after: the rate, or the median amount, of the first week and since it began.
        ratio: after / before; infinite if before is 0.
        p: of the strongest day, adjusted for all metrics and days.
        beyond_floor: whether the change is large enough to matter.
    """

    metric: str
    began: int
    found: int
    before: float
    after: float
    ratio: float
    p: float
    beyond_floor: bool


def find_shifts(
    metrics: Mapping[str, Sequence[DayRate] | Sequence[DayAmounts]],
    *,
    false_discoveries: float = FALSE_DISCOVERIES,
    least_ratio: float = LEAST_RATIO,
    least_points: float = LEAST_POINTS,
) -> list[Shift]:
    """Metrics that moved, the one that moved first at the head.

    Days without traffic have a count of 0. With fewer than three days of traffic in the first week
    nothing is said of a metric.

    Args:
        metrics: by name, the days of each from the first on, all of one kind.
        false_discoveries: the rate of Benjamini and Hochberg.
        least_ratio: above 1, the floor of amounts.
        least_points: the floor of rates.
    """
    tested = {metric: _test(days) for metric, days in metrics.items() if days}
    longest = max((len(days) for days in metrics.values()), default=0)
    family = max(longest - FEWEST_DAYS, _HORIZON) * len(metrics)
    everything = [p for one in tested.values() if one for p in one.p]
    limit = _largest_rejected(everything, family, false_discoveries)
    found: list[Shift] = []
    for metric, one in tested.items():
        if one is None:
            continue
        alarms = [at for at, p in enumerate(one.p) if p <= limit]
        if not alarms:
            continue
        before, after, began = one.change(alarms[0])
        ratio = after / before if before else float("inf")
        if one.is_rate:
            beyond = abs(after - before) >= least_points
        else:
            beyond = not isfinite(ratio) or abs(log(ratio)) >= log(least_ratio)
        p = _adjusted(min(one.p), everything, family)
        found.append(Shift(metric, began, alarms[0], before, after, ratio, p, beyond))
    return sorted(found, key=lambda shift: (shift.began, shift.p, shift.metric))
