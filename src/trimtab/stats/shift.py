"""On which day a version's behaviour moved away from that of its own first week. Pure.

Each metric has one value a day: a rate (format validity, refusals, thumbs), or the median of an
amount (output length, cost, latency) on a log scale. The last day, the last three and the last
seven up to each day after the first week are held against that week. How much days differ anyway
is taken from all whole weeks before those days: the spread inside weeks, so that habits of weekdays
belong to it and a change of level between weeks does not. It is an estimate from few days, so the
quantile is Student's: in the second week only large changes can be found.

- Amounts: the shift of the middle of a day's logarithms. The spread is at least what sampling
  explains.
- Rates: the same on the arcsine scale, on which days of more or fewer hits vary alike. As rare hits
  are skewed, Fisher's exact test of the pooled counts must find the same.

All p-values of all metrics and days are one family (Benjamini and Hochberg, "Controlling the false
discovery rate", Journal of the Royal Statistical Society B 57, 1995). Two months count as tests
from the start, days to come with p = 1: until then a look on each day finds nothing that the look
at the end would not find, and one false-alarm rate holds for all looks together.

What is assumed. Days of a version that does not change are alike but for weekdays and chance: a
metric that wanders by itself alarms, and the floor is there for that. A rate of which most days
have none and some have many alarms somewhat more often than is promised.
"""

from collections.abc import Mapping, Sequence
from math import inf, log
from typing import Final, NamedTuple

from trimtab.stats.shift_days import (
    WEEK,
    AmountDays,
    DayAmounts,
    DayRate,
    Days,
    RateDays,
    p_values,
)

__all__ = [
    "FALSE_DISCOVERIES",
    "LEAST_POINTS",
    "LEAST_RATIO",
    "DayAmounts",
    "DayRate",
    "Floors",
    "Shift",
    "find_shifts",
]

FALSE_DISCOVERIES: Final = 0.05
"""Probability of any alarm for a version that does not change, and the share of false alarms."""

LEAST_RATIO: Final = 1.1
"""A change of an amount by less than this factor is below the floor."""

LEAST_POINTS: Final = 0.02
"""A change of a rate by less than this is below the floor."""

_HORIZON: Final = 60  # days that count as tests in any case
_AFTER: Final = 6  # days after an alarm that the size of the change is taken from as well


class Floors(NamedTuple):
    """Changes that are too small to matter, however certain they are.

    Attributes:
        ratio: above 1; of amounts, in either direction.
        points: of rates, 0 to 1.
    """

    ratio: float = LEAST_RATIO
    points: float = LEAST_POINTS


class Shift(NamedTuple):
    """A metric that is no longer what it was in the first week.

    Attributes:
        metric: its name.
        began: the day, 0 for the first of all, from which on it is different.
        found: the first day that tells it, with all that is known by now.
        before: the rate, or the typical amount, of the first week.
        after: the same from the day it began until a week after it was found.
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
    floors: Floors = Floors(),  # noqa: B008 - immutable
) -> list[Shift]:
    """Metrics that moved, the one that moved first at the head.

    Days without traffic have a total of 0. With fewer than three days of traffic in the first week
    nothing is said of a metric.

    Args:
        metrics: by name, the days of each from the first on, all of one kind.
        false_discoveries: the rate of Benjamini and Hochberg.
        floors: only tell which changes matter; all that are certain are answered.
    """
    longest = max((len(days) for days in metrics.values()), default=0)
    family = max(longest - WEEK, _HORIZON) * len(metrics)
    days = {metric: _days_of(values) for metric, values in metrics.items()}
    tested = {metric: p_values(days[metric], len(values)) for metric, values in metrics.items()}
    ordered = sorted(p for values in tested.values() for p in values)
    limit = _largest_rejected(ordered, family, false_discoveries)
    found: list[Shift] = []
    for metric, values in tested.items():
        alarms = [day for day, p in enumerate(values) if p <= limit]
        if alarms:
            last = min(alarms[0] + _AFTER, len(values) - 1)
            p = _adjusted(min(values), ordered, family)
            shift = _shift(days[metric], alarms[0], last)
            beyond = _is_beyond(shift, floors, is_rate=isinstance(days[metric], RateDays))
            found.append(shift._replace(metric=metric, p=p, beyond_floor=beyond))
    return sorted(found, key=lambda shift: (shift.began, shift.p, shift.metric))


def _days_of(values: Sequence[DayRate] | Sequence[DayAmounts]) -> Days:
    rates = [day for day in values if isinstance(day, DayRate)]
    if rates:
        return RateDays(rates)
    return AmountDays([day for day in values if isinstance(day, DayAmounts)])


def _shift(days: Days, found: int, last: int) -> Shift:
    """The one step, on or before the day `found`, that explains most of all days up to `last`."""
    began, most = found, -1.0
    for first in range(WEEK, found + 1):
        before, days_before = days.mean(0, first - 1)
        after, days_after = days.mean(first, last)
        weight = days_before * days_after / (days_before + days_after)
        explained = weight * (after - before) ** 2
        if days.has(first) and explained > most:
            began, most = first, explained
    usual, now = days.shown(0, WEEK - 1), days.shown(began, last)
    ratio = now / usual if usual else inf
    return Shift("", began, found, usual, now, ratio, 1.0, beyond_floor=False)


def _is_beyond(shift: Shift, floors: Floors, *, is_rate: bool) -> bool:
    if is_rate:
        return abs(shift.after - shift.before) >= floors.points
    return abs(log(shift.ratio)) >= log(floors.ratio)


def _largest_rejected(ordered: Sequence[float], family: int, rate: float) -> float:
    """The largest p-value that is rejected, below 0 if there is none."""
    rejected = (p for rank, p in enumerate(ordered, 1) if p * family <= rate * rank)
    return max(rejected, default=-1.0)


def _adjusted(p: float, ordered: Sequence[float], family: int) -> float:
    """The lowest rate at which `p`, one of `ordered`, would still be rejected."""
    return min(
        (other * family / rank for rank, other in enumerate(ordered, 1) if other >= p), default=1.0
    )
