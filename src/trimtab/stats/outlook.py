"""How much some days to come will add up to, from the days before. Pure, and seeded.

The logarithm of a day is taken to be a level, a trend, the habit of its weekday, and a rest. The
level is that of the last fortnight; the trend is that of the last eight weeks, damped by how
uncertain it is. Days to come are drawn many times over: the rests as runs of a week out of those
that were seen, so that what hangs together stays together, and level and trend each with its own
uncertainty. The interval is where the middle of these draws lies.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, hypot, log, sqrt
from random import Random
from typing import Final, NamedTuple

__all__ = ["LEAST_DAYS", "Outlook", "look_ahead"]

LEAST_DAYS: Final = 28
"""With fewer days before, nothing is told."""

_WEEK: Final = 7
_MOST_DAYS: Final = 56
_LEVEL_DAYS: Final = 14
_DRAWS: Final = 400
_OFFSET: Final = 0.02  # of an average day, added before logarithms: days of nothing have one too


class Outlook(NamedTuple):
    """What some days come to.

    Attributes:
        low, high: so much or more, and so much or less, with half of the rest of the confidence on
            either side.
        median: as likely more as less.
    """

    low: int
    median: int
    high: int


class _Model(NamedTuple):
    """What was learnt of the days before; logarithms."""

    level: float
    slope: float
    slope_error: float
    habits: list[float]
    rests: list[float]
    offset: float
    drift: float


def look_ahead(
    before: Sequence[int], shares: Sequence[float], *, confidence: float = 0.8, seed: int = 1
) -> Outlook | None:
    """What the days after `before` add up to; None where those are too few or too empty.

    Args:
        before: amounts of whole days that follow each other, the oldest first.
        shares: how much of each day to come is still to come; the first follows the last before.
        confidence: of the interval, 0 to 1.
        seed: of the draws; the same seed gives the same answer.
    """
    recent = [float(amount) for amount in before[-_MOST_DAYS:]]
    if len(recent) < LEAST_DAYS or sum(1 for amount in recent if amount > 0) * 2 < len(recent):
        return None
    model = _learn(recent)
    rng = Random(seed)  # noqa: S311 - draws of days, nobody is to guess
    sums = sorted(_draw(model, len(recent), shares, rng=rng) for _ in range(_DRAWS))
    edge = (1 - confidence) / 2
    return Outlook(*(round(_quantile(sums, at)) for at in (edge, 0.5, 1 - edge)))


def _learn(recent: Sequence[float]) -> _Model:
    count = len(recent)
    offset = _OFFSET * sum(recent) / count
    logs = [log(amount + offset) for amount in recent]
    habits = _habits(logs)
    flat = [value - habits[at % _WEEK] for at, value in enumerate(logs)]
    slope, error = _trend(flat)
    damped = slope**3 / (slope * slope + error * error) if slope else 0.0
    error, slope = hypot(error, slope - damped), damped
    ahead = [value + slope * (count - at) for at, value in enumerate(flat)]
    level = _mean(ahead[-_LEVEL_DAYS:])
    middle = _mean(ahead)
    wider = sqrt(count / (count - _WEEK - 1))  # what habits and trend took out of the rests
    return _Model(
        level=level,
        slope=slope,
        slope_error=error,
        habits=habits,
        rests=[(value - middle) * wider for value in ahead],
        offset=offset,
        drift=_drift(ahead),
    )


def _habits(logs: Sequence[float]) -> list[float]:
    """By how much each weekday differs from the week around it, of places modulo 7."""
    found: list[list[float]] = [[] for _ in range(_WEEK)]
    half = _WEEK // 2
    for at in range(half, len(logs) - half):
        found[at % _WEEK].append(logs[at] - _mean(logs[at - half : at + half + 1]))
    raw = [_mean(values) for values in found]
    return [value - _mean(raw) for value in raw]


def _trend(values: Sequence[float]) -> tuple[float, float]:
    """Slope of the least squares, and its standard error with rests that hang together."""
    count = len(values)
    centre, mean = (count - 1) / 2, _mean(values)
    spread = sum((at - centre) ** 2 for at in range(count))
    slope = sum((at - centre) * (value - mean) for at, value in enumerate(values)) / spread
    rests = [value - mean - slope * (at - centre) for at, value in enumerate(values)]
    squares = sum(rest * rest for rest in rests)
    hang = sum(one * two for one, two in pairwise(rests)) / squares if squares else 0.0
    hang = min(max(hang, 0.0), 0.8)
    return slope, sqrt(squares / (count - 2) / spread * (1 + hang) / (1 - hang))


def _drift(flat: Sequence[float]) -> float:
    """By how much the level wanders in a day: what weeks differ by, beyond what their days do."""
    changes = [two - one for one, two in pairwise(flat)]
    of_days = sum(change * change for change in changes) / len(changes)  # twice their variance
    weeks = [_mean(flat[end - _WEEK : end]) for end in range(len(flat), _WEEK - 1, -_WEEK)]
    of_weeks = sum((two - one) ** 2 for one, two in pairwise(weeks)) / (len(weeks) - 1)
    # So few weeks may have been quieter than usual.
    few = len(weeks) / (len(weeks) - 2)
    return sqrt(few * max(of_weeks - of_days / _WEEK, 0.0) / _WEEK)


def _draw(model: _Model, count: int, shares: Sequence[float], *, rng: Random) -> float:
    rests = _runs(model.rests, len(shares) + _LEVEL_DAYS, rng)
    level = model.level + _mean(rests[len(shares) :])
    astray = rng.gauss(0, 1) * model.slope_error
    level += astray * _LEVEL_DAYS / 2  # the level was brought forward along the trend
    slope = model.slope + astray
    total = 0.0
    for at, share in enumerate(shares):
        level += rng.gauss(0, model.drift)
        day = level + slope * at + model.habits[(count + at) % _WEEK] + rests[at]
        total += share * max(exp(day) - model.offset, 0.0)
    return total


def _runs(rests: Sequence[float], count: int, rng: Random) -> list[float]:
    """Rests in runs of a week, as they followed each other."""
    found: list[float] = []
    while len(found) < count:
        begin = rng.randrange(len(rests) - _WEEK + 1)
        found += rests[begin : begin + _WEEK]
    return found[:count]


def _quantile(ordered: Sequence[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
