"""Where the parts of a report's pictures lie: shares of the width, heights in pixels. Pure.

As in the console, pictures are SVG without a view box: shapes stretch with the page, words do not.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import quantiles
from typing import Final, NamedTuple

import msgspec

from trimtab.evals.reports.cases import CaseView
from trimtab.evals.reports.scale import REACH, Place, clipped
from trimtab.evals.reports.wording import change, figure
from trimtab.evals.result import Comparison, Side
from trimtab.looks.words import several

__all__ = [
    "HEIGHT",
    "Column",
    "Histogram",
    "IntervalBar",
    "Spread",
    "SpreadRow",
    "Tick",
    "draw_histogram",
    "draw_interval",
    "draw_spread",
]

HEIGHT: Final = 90  # pixels of columns
_LEAST: Final = 1e-6  # a change that is one
_MOST_VALUES: Final = 12  # different changes with a column each
_STEPS: Final = 8  # on each side, where there are more
_HALF: Final = 2.5  # per cent of the width: half a column
_SLIT: Final = 0.6  # between two
_LEAST_HEIGHT: Final = 3  # of what is little and not nothing
_MOST_TICKS: Final = 6
_EDGE: Final = 5  # per cent of the width in which words have no room
_FEWEST: Final = 5  # values of which a spread is drawn


class IntervalBar(msgspec.Struct, frozen=True, kw_only=True):
    """A difference with its interval, in shares of the width; better is right.

    Attributes:
        low_x, width: of the interval; `width` is at least what can be seen.
        value_x: of the difference; None where it is beyond the picture.
        zero_x: of no difference.
        margin_x: of the margin; None where it is nothing.
        beyond: it reaches further than the picture, on these sides.
    """

    low_x: float
    width: float
    value_x: float | None
    zero_x: float
    margin_x: float | None
    beyond: list[str]


class Column(msgspec.Struct, frozen=True):
    """So many cases that changed by about as much."""

    x: float
    width: float
    y: float
    height: float
    kind: str
    words: str


class Tick(msgspec.Struct, frozen=True):
    """A place on an axis, with its words and the side on which they stand."""

    x: float
    words: str
    anchor: str = "middle"


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """How the scores of cases changed in one metric; worse is left.

    Attributes:
        same: cases that did not change, which would dwarf the others.
        worse, better: how many did.
    """

    metric: str
    columns: list[Column]
    ticks: list[Tick]
    same: int
    worse: int
    better: int
    height: int = HEIGHT


class SpreadRow(msgspec.Struct, frozen=True, kw_only=True):
    """What cases of one setup took, in shares of the width: 5, 25, 50, 75 and 95 % of them.

    Attributes:
        words: the same in words.
    """

    name: str
    xs: list[float]
    y: int
    words: str


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Two setups on one logarithmic axis."""

    metric: str
    rows: list[SpreadRow]
    ticks: list[Tick]
    height: int


def draw_interval(place: Place | None) -> IntervalBar | None:
    """A difference on the scale of its margin; None where there is no place for it."""
    if place is None:
        return None
    low, high = _x(place.low), _x(place.high)
    beyond = ["left"] * (place.low < -REACH) + ["right"] * (place.high > REACH)
    return IntervalBar(
        low_x=low,
        width=max(round(high - low, 2), 0.4),
        value_x=_x(place.value) if abs(place.value) <= REACH else None,
        zero_x=_x(0),
        margin_x=_x(-1) if place.has_margin else None,
        beyond=beyond,
    )


def _x(value: float) -> float:
    return round(50 + 50 * clipped(value) / REACH, 2)


def draw_histogram(found: Comparison, views: Sequence[CaseView]) -> Histogram | None:
    """The changes of one metric over cases; None of amounts, and where no case has both.

    With few different changes, as repeats of a rate have, each has its column; else they are
    counted in steps of a round width.
    """
    if found.kind == "amount":
        return None
    moves = list(_moves(found, views))
    changed = [move for move in moves if abs(move) > _LEAST]
    if not moves:
        return None
    values = Counter(round(move, 6) for move in changed)
    bins = {(at, at): count for at, count in values.items()}
    reach = max(map(abs, values), default=1.0)
    if len(values) > _MOST_VALUES:
        step = _round_step(reach / _STEPS)
        reach = math.ceil(reach / step - _LEAST) * step
        counts = Counter(_bin(move, step) for move in changed)
        bins = {((at - 1) * step, at * step) if at > 0 else (at * step, (at + 1) * step): count
                for at, count in counts.items()}  # fmt: skip
    tallest = max(bins.values(), default=1)
    return Histogram(
        metric=found.metric,
        columns=[
            _column(found, ends, count, scale=_Scale(reach, tallest))
            for ends, count in sorted(bins.items())
        ],
        ticks=[
            Tick(0.0, _moved(found, -reach), "start"),
            Tick(50.0, "no change"),
            Tick(100.0, _moved(found, reach), "end"),
        ],
        same=len(moves) - len(changed),
        worse=sum(move < 0 for move in changed),
        better=sum(move > 0 for move in changed),
    )


class _Scale(NamedTuple):
    """The largest change, and the most cases of a column."""

    reach: float
    tallest: int


def _column(found: Comparison, ends: tuple[float, float], count: int, *, scale: _Scale) -> Column:
    """So many cases between two changes, or at one."""
    low, high = (50 + (50 - _HALF) * end / scale.reach for end in ends)
    width = high - low - _SLIT if high > low else 2 * _HALF
    height = max(round(count / scale.tallest * HEIGHT, 1), _LEAST_HEIGHT)
    by = " to ".join(dict.fromkeys(_moved(found, end) for end in ends))
    return Column(
        x=round((low + high - width) / 2, 2),
        width=round(width, 2),
        y=round(HEIGHT - height, 1),
        height=height,
        kind="worse" if sum(ends) < 0 else "better",
        words=f"{several(count, 'case')} by {by}",
    )


def _moved(found: Comparison, move: float) -> str:
    """A change as the metric counts it, where `move` counts what is better."""
    return change(found.kind, move if found.higher_is_better else -move)


def _bin(move: float, step: float) -> int:
    """Which step up from no change, 1 for the first; negative for those down."""
    return math.ceil(abs(move) / step - _LEAST) * (1 if move > 0 else -1)


def _round_step(least: float) -> float:
    """One, two or five times a power of ten, not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least)


def _moves(found: Comparison, views: Sequence[CaseView]) -> Iterator[float]:
    """By how much each case got better; negative for worse."""
    sign = 1 if found.higher_is_better else -1
    for view in views:
        after = view.case.candidate.scores.get(found.metric)
        before = 0.0
        if found.kind != "preference":
            before = None if view.case.baseline is None else _score(view.case.baseline, found)
        if after is not None and before is not None:
            yield sign * (after - before)


def _score(side: Side, found: Comparison) -> float | None:
    return side.scores.get(found.metric)


def draw_spread(metric: str, sides: Sequence[tuple[str, Sequence[float]]]) -> Spread | None:
    """What cases cost or took with each setup; None where there is too little to draw.

    Args:
        metric: whose words figures take: `latency` or `cost`.
        sides: name of a setup and an amount for each case; nothing for cases without an answer.
    """
    cuts = [
        (name, _quantiles([amount for amount in amounts if amount > 0]))
        for name, amounts in sides
        if sum(amount > 0 for amount in amounts) >= _FEWEST
    ]
    if not cuts:
        return None
    everything = [amount for _, found in cuts for amount in found]
    low, high = math.log(min(everything)), math.log(max(everything))
    pad = (high - low) * 0.04 or 0.1
    low, high = low - pad, high + pad

    def x(amount: float) -> float:
        return round(100 * (math.log(amount) - low) / (high - low), 2)

    rows = [
        SpreadRow(
            name=name, xs=[x(amount) for amount in found], y=number * 34 + 8,
            words=_spread_words(metric, found),
        )
        for number, (name, found) in enumerate(cuts)
    ]  # fmt: skip
    ticks = [
        Tick(x(amount), figure(metric, "amount", amount))
        for amount in _round_amounts(math.exp(low), math.exp(high))
        if _EDGE <= x(amount) <= 100 - _EDGE
    ]
    return Spread(metric=metric, rows=rows, ticks=ticks, height=len(rows) * 34)


def _quantiles(amounts: Sequence[float]) -> list[float]:
    cuts = quantiles(amounts, n=20, method="inclusive")
    return [cuts[at] for at in (0, 4, 9, 14, 18)]


def _spread_words(metric: str, cuts: Sequence[float]) -> str:
    low, _, middle, _, high = (figure(metric, "amount", amount) for amount in cuts)
    return f"median {middle}, 5 to 95 % of cases {low} to {high}"


def _round_amounts(low: float, high: float) -> list[float]:
    """Amounts of one, two or five times a power of ten within the ends, not too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside = list[float]()
    for digits in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        found = [digit * 10.0**power for power in powers for digit in digits]
        inside = [amount for amount in found if low <= amount <= high]
        if len(inside) <= _MOST_TICKS:
            break
    return inside[:: max(1, -(-len(inside) // _MOST_TICKS))]
