"""The bill of a month as it adds up, and where it may end. Pure."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import msgspec

from trimtab.console.drawing import HEIGHT, Mark, Tick, marks_of, per_cent, tick_amounts
from trimtab.insights.forecast import ForecastReport

__all__ = ["Month", "draw_month"]

_WIDE: Final = 1_000  # units of the stretched part


class Month(msgspec.Struct, frozen=True):
    """A line up to now, and from there a band to the end of the month.

    Attributes:
        line: points of what was spent, in a box of 1,000 times `height`.
        band, middle: corners of the band and points of its middle; "" where too little is known.
        plan: of a straight line to what was planned; "" without a plan.
        now_x: share of the width at which today is.
    """

    line: str
    band: str
    middle: str
    plan: str
    now_x: str
    ticks: list[Tick]
    marks: list[Mark]
    height: int = HEIGHT


def draw_month(days: Sequence[int], report: ForecastReport, *, count: int) -> Month:
    """The month of a forecast.

    Args:
        days: nano-dollars of its days up to today.
        report: the forecast.
        count: how many days the month has.
    """
    total = report.total
    ends = [total.high_nanousd or 0, report.planned_nanousd or 0, total.spent_nanousd]
    ticks = tick_amounts(max(ends))
    place = _Place(count, HEIGHT / ticks[-1])
    now = count - report.days_left
    sums = list(accumulate(days[:-1]))
    points = [(0.0, 0), *((at + 1.0, amount) for at, amount in enumerate(sums))]
    points.append((now, total.spent_nanousd))
    here = (now, total.spent_nanousd)
    band = middle = ""
    if total.low_nanousd is not None and total.median_nanousd is not None:
        high, low = total.high_nanousd or 0, total.low_nanousd
        band = place.points([here, (count, high), (count, low)])
        middle = place.points([here, (count, total.median_nanousd)])
    plan = ""
    if report.planned_nanousd is not None:
        plan = place.points([(0, 0), (count, report.planned_nanousd)])
    names = [f"{report.month[5:]}-{day:02}" for day in range(1, count + 1)]
    return Month(
        line=place.points(points),
        band=band,
        middle=middle,
        plan=plan,
        now_x=per_cent(100 * now / count),
        ticks=[Tick(round(place.y(amount), 1), amount) for amount in ticks],
        marks=marks_of(names),
    )


class _Place:
    """Days and nano-dollars to places in the box."""

    def __init__(self, count: int, scale: float) -> None:
        self._step = _WIDE / count
        self._scale = scale

    def y(self, nanousd: int) -> float:
        return HEIGHT - nanousd * self._scale

    def points(self, corners: Sequence[tuple[float, int]]) -> str:
        return " ".join(f"{day * self._step:.1f},{self.y(amount):.1f}" for day, amount in corners)
