"""Where a difference lies on the scale of its own margin: one picture for all metrics. Pure.

On this scale 0 is no difference, -1 is the margin, and what is better lies on the right, whatever
the metric counts. Ratios of amounts are taken as logarithms.
"""

import math
from typing import Final, NamedTuple

from trimtab.evals.result import Comparison

__all__ = ["REACH", "Place", "clipped", "place_of"]

REACH: Final = 2.0
"""Margins that a picture reaches to on either side."""


class Place(NamedTuple):
    """A difference and the ends of its interval, in margins; `low` is the worse end.

    Attributes:
        has_margin: False where the margin is nothing, so that the scale is the interval's own.
    """

    low: float
    value: float
    high: float
    has_margin: bool = True


def place_of(comparison: Comparison) -> Place | None:
    """Where a difference lies; None where there is none, or no interval of it."""
    found = (comparison.low, comparison.difference, comparison.high)
    if any(value is None or not math.isfinite(value) for value in found):
        return None
    low, value, high = (value for value in found if value is not None)
    unit = comparison.margin
    if comparison.kind == "amount":
        if min(low, value, high, unit) <= 0:
            return None
        low, value, high, unit = map(math.log, (low, value, high, unit))
    has_margin = unit != 0
    unit = abs(unit) or max(abs(low), abs(high)) or 1.0
    sign = 1 if comparison.higher_is_better else -1
    ends = sorted((sign * low / unit + 0.0, sign * high / unit + 0.0))  # no negative zeros
    return Place(ends[0], sign * value / unit + 0.0, ends[1], has_margin)


def clipped(value: float) -> float:
    """A place that fits the picture."""
    return max(-REACH, min(REACH, value))
