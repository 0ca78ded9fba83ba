"""The table of metrics for a terminal, as wide as the terminal is."""

from collections.abc import Iterator, Sequence
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


_COMPARED: Final = ("baseline", "candidate", "change", "interval", "margin")
_ALONE: Final = ("candidate", "95% interval", "cases", "unmeasured")

# What goes first where there is little room; the bar says of it what matters most.
_LEFT_OUT: Final = ("margin", "interval", "baseline", "unmeasured", "cases", "95% interval")


def metric_table(rows: Sequence[MetricRow], ink: Ink) -> tuple[Table, bool]:
    """The table, and whether there are bars in it."""
    compared = any(row.margin for row in rows)
    cells = [_cells(row) for row in rows]
    columns, bar = _fitting(cells, ink, compared=compared)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    table.add_column("metric", no_wrap=True, overflow=ink.overflow, min_width=_LEAST_NAME)
    for title in columns:
        table.add_column(title, no_wrap=True, justify="right", min_width=_width(title, cells))
    if bar:
        table.add_column(_scale_title(bar), no_wrap=True, min_width=bar, max_width=bar)
    verdict = "verdict" if compared else ""
    table.add_column(verdict, no_wrap=True, min_width=_width("verdict", cells))
    for row, texts in zip(rows, cells, strict=True):
        bars = [Text(draw_bar(row.place, bar, ascii_only=ink.ascii_only))] if bar else []
        table.add_row(
            ink.text(row.name),
            *(ink.text(texts[title]) for title in columns),
            *bars,
            Text(texts["verdict"], style=state_style(row.state)),
            style="dim" if row.margin and not row.decides else "",
        )
    return table, bool(bar)


def _cells(row: MetricRow) -> dict[str, str]:
    """Every text of a row by the title of its column."""
    is_measured = row.state != "not measured"
    return {
        "metric": row.name,
        "baseline": row.baseline,
        "candidate": row.candidate,
        "change": row.difference,
        "interval": row.interval,
        "margin": row.margin,
        "95% interval": row.own_interval,
        "cases": f"{row.cases:,}" if is_measured else "",
        "unmeasured": f"{row.unmeasured:,}" if is_measured else "",
        "verdict": row.state_words,
    }


def _fitting(cells: Sequence[dict[str, str]], ink: Ink, *, compared: bool) -> tuple[list[str], int]:
    """The columns that there is room for, and how many characters a bar may take."""
    wanted = _COMPARED if compared else _ALONE
    longest = max(cell_len(ink.line(texts["metric"])) for texts in cells)
    name = min(max(longest, _LEAST_NAME), _MOST_NAME)
    for number in range(len(_LEFT_OUT) + 1):
        columns = [title for title in wanted if title not in _LEFT_OUT[:number]]
        bar = _bar(ink.width - name, columns, cells)
        if bar >= _BARS[2] or (not compared and bar >= 0):
            return columns, bar if compared else 0
    columns = [title for title in wanted if title not in _LEFT_OUT]
    return columns, max(_bar(ink.width - _LEAST_NAME, columns, cells), 0) if compared else 0


def _bar(room: int, columns: Sequence[str], cells: Sequence[dict[str, str]]) -> int:
    """The longest bar that fits beside columns; 0 if none does, -1 if not even they do."""
    left = room - _GAP - _width("verdict", cells)
    left -= sum(_width(title, cells) + _GAP for title in columns)
    return next((bar for bar in _BARS if bar + _GAP <= left), 0 if left >= 0 else -1)


def _width(title: str, cells: Sequence[dict[str, str]]) -> int:
    return max(len(title), *(len(texts[title]) for texts in cells))


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
