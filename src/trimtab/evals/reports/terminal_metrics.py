"""The table of metrics for a terminal, as wide as the terminal is."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from trimtab.evals.reports.metrics import MetricRow
from trimtab.evals.reports.scale import REACH, Place, clipped
from trimtab.evals.reports.terminal_text import Ink, state_style

__all__ = ["bar_legend", "draw_bar", "metric_table"]

_GAP: Final = 2
_LEAST_NAME: Final = 13  # `hallucination`
_MOST_NAME: Final = 24
_BARS: Final = (31, 25, 19, 13, 9)  # columns, odd, so that no difference is in the middle


class _Glyphs(NamedTuple):
    margin: str
    zero: str
    line: str
    left: str
    right: str
    point: str
    crossed: str
    beyond: tuple[str, str]


_FINE: Final = _Glyphs("┊", "│", "─", "├", "┤", "●", "┼", ("◂", "▸"))
_PLAIN: Final = _Glyphs("!", "|", "-", "[", "]", "*", "+", ("<", ">"))


class _Column(NamedTuple):
    title: str
    cell: Callable[[MetricRow], str]


_METRIC: Final = _Column("metric", lambda row: row.name)
_BASELINE: Final = _Column("baseline", lambda row: row.baseline)
_CANDIDATE: Final = _Column("candidate", lambda row: row.candidate)
_DIFFERENCE: Final = _Column("change", lambda row: row.difference)
_INTERVAL: Final = _Column("interval", lambda row: row.interval)
_MARGIN: Final = _Column("margin", lambda row: row.margin)
_VERDICT: Final = _Column("verdict", lambda row: row.state)
_OWN: Final = _Column("95% interval", lambda row: row.own_interval.partition(" (")[0])
_CASES: Final = _Column("cases", lambda row: f"{row.cases:,}" if row.cases else "")
_UNMEASURED: Final = _Column(
    "unmeasured", lambda row: "" if row.state == "not measured" else f"{row.unmeasured:,}"
)

# What is left out first where there is little room; the bar says of it what matters most.
_LEFT_OUT: Final = (_MARGIN, _INTERVAL, _BASELINE, _UNMEASURED, _CASES, _OWN)


def metric_table(rows: Sequence[MetricRow], ink: Ink) -> tuple[Table, bool]:
    """The table, and whether there are bars in it."""
    compared = any(row.margin for row in rows)
    wanted = (
        [_BASELINE, _CANDIDATE, _DIFFERENCE, _INTERVAL, _MARGIN]
        if compared
        else [_CANDIDATE, _OWN, _CASES, _UNMEASURED]
    )
    columns, bar = _fitting(rows, wanted, ink, has_bar=compared)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    table.add_column(_METRIC.title, no_wrap=True, overflow=ink.overflow, min_width=_LEAST_NAME)
    for column in columns:
        table.add_column(
            column.title, no_wrap=True, justify="right", min_width=_width(column, rows)
        )
    if bar:
        table.add_column(_scale_title(bar), no_wrap=True, min_width=bar, max_width=bar)
    table.add_column(
        _VERDICT.title if compared else "", no_wrap=True, min_width=_width(_VERDICT, rows)
    )
    for row in rows:
        bars = [Text(draw_bar(row.place, bar, ascii_only=ink.ascii_only))] if bar else []
        table.add_row(
            ink.text(row.name),
            *(ink.text(column.cell(row)) for column in columns),
            *bars,
            Text(row.state, style=state_style(row.state)),
            style="dim" if row.state in {"advisory", "not measured"} else "",
        )
    return table, bool(bar)


def _fitting(
    rows: Sequence[MetricRow], wanted: list[_Column], ink: Ink, *, has_bar: bool
) -> tuple[list[_Column], int]:
    """The columns that there is room for, and the columns of characters that a bar may take."""
    longest = max(cell_len(ink.line(row.name)) for row in rows)
    name = min(max(longest, _LEAST_NAME), _MOST_NAME)
    for left_out in range(len(_LEFT_OUT) + 1):
        columns = [column for column in wanted if column not in _LEFT_OUT[:left_out]]
        used = name + _GAP + _width(_VERDICT, rows)
        used += sum(_width(column, rows) + _GAP for column in columns)
        room = ink.width - used
        bar = next((bar for bar in _BARS if bar + _GAP <= room), 0)
        if room >= 0 and (bar >= _BARS[2] or not has_bar):
            return columns, bar if has_bar else 0
    columns = [column for column in wanted if column not in _LEFT_OUT]
    used = _LEAST_NAME + _GAP + _width(_VERDICT, rows)
    used += sum(_width(column, rows) + _GAP for column in columns)
    bar = next((bar for bar in _BARS if bar + _GAP <= ink.width - used), 0)
    return columns, bar if has_bar else 0


def _width(column: _Column, rows: Sequence[MetricRow]) -> int:
    return max(len(column.title), *(len(column.cell(row)) for row in rows))


def _scale_title(bar: int) -> str:
    if bar < _BARS[2]:
        return "worse|better".center(bar) if bar >= 12 else ""
    side = bar // 2
    return f"{'worse':<{side}}|{'better':>{side}}"


def bar_legend(ink: Ink) -> str:
    """What the marks of a bar mean."""
    glyphs = _PLAIN if ink.ascii_only else _FINE
    return (
        f"Bars: {glyphs.point} the change in its interval, {glyphs.zero} no change, "
        f"{glyphs.margin} the margin; better is right, and each bar has the scale of its margin."
    )


def draw_bar(place: Place | None, width: int, *, ascii_only: bool) -> str:
    """An interval against its margin in so many characters; empty without one."""
    if place is None:
        return ""
    glyphs = _PLAIN if ascii_only else _FINE
    cells = [" "] * width
    low, high = (_at(value, width) for value in (place.low, place.high))
    cells[low : high + 1] = glyphs.line * (high + 1 - low)
    marks = [(0.0, glyphs.zero), *([(-1.0, glyphs.margin)] if place.has_margin else [])]
    for value, glyph in marks:
        at = _at(value, width)
        cells[at] = glyphs.crossed if low < at < high else glyph
    for at, glyph in _ends(place, glyphs, width):
        cells[at] = glyph
    if abs(place.value) <= REACH:
        cells[_at(place.value, width)] = glyphs.point
    return "".join(cells)


def _ends(place: Place, glyphs: _Glyphs, width: int) -> Iterator[tuple[int, str]]:
    ends = (
        (place.low, glyphs.left, glyphs.beyond[0]),
        (place.high, glyphs.right, glyphs.beyond[1]),
    )
    for value, end, beyond in ends:
        yield _at(value, width), beyond if abs(value) > REACH else end


def _at(value: float, width: int) -> int:
    """The column of a value; no difference is in the middle."""
    half = width // 2
    return half + round(clipped(value) / REACH * half)
