"""The causes of a bill as bars that hang on each other. Pure."""

from itertools import pairwise
from typing import Final

import msgspec

from trimtab.console.drawing import per_cent
from trimtab.insights.cause_words import CAUSE_WORDS
from trimtab.insights.explain import Cause, ExplainReport

__all__ = ["CauseRow", "Step", "Waterfall", "draw_waterfall", "rows_of"]

_ROW: Final = 30  # pixels
_BAR: Final = 18
_SHARES: Final = (
    "share called",
    "share of input cached",
    "share answered",
    "share of what answers cost",
)


class Step(msgspec.Struct, frozen=True):
    """One bar, `y` pixels from the top.

    Attributes:
        kind: "bill" from nothing to the bill, or what is added ("up") or taken away ("down").
        x, width: shares of the width.
        end_x: where the bill is after it, which the next one begins at.
        y, text_y: of the bar and of the words beside it.
        nanousd: the bill, or the change of it.
    """

    kind: str
    words: str
    x: str
    width: str
    end_x: str
    y: int
    text_y: int
    nanousd: int


class Waterfall(msgspec.Struct, frozen=True):
    """All bars from above to below.

    Attributes:
        bar: pixels of each.
        left_off: causes that change nothing, which only the table has.
    """

    steps: list[Step]
    height: int
    bar: int
    left_off: int


class CauseRow(msgspec.Struct, frozen=True):
    """One cause as the command line prints it; "" for what is not known.

    Attributes:
        part_of: the cause that includes it where it is not told apart, in words.
    """

    words: str
    planned: str | int
    happened: str | int
    unit: str
    factor: str
    part_of: str
    amount_nanousd: int


def draw_waterfall(report: ExplainReport) -> Waterfall:
    """The way from what was planned to what was spent."""
    told = [cause for cause in report.causes if cause.amount_nanousd]
    bills = [report.planned_nanousd]
    for cause in told:
        bills.append(bills[-1] + cause.amount_nanousd)
    low = min(0, *bills)  # what one cause takes away may be more than there was before
    scale = 100 / (max(*bills, report.actual_nanousd) - low)
    first = "planned" if report.against == "plan" else "before"
    parts = [(first, 0, report.planned_nanousd, "bill")]
    for cause, (before, after) in zip(told, pairwise(bills), strict=True):
        parts.append((CAUSE_WORDS[cause.name], before, after, "up" if after > before else "down"))
    parts.append(("actual", 0, report.actual_nanousd, "bill"))
    steps = [
        Step(
            kind=kind,
            words=words,
            x=per_cent((min(begin, end) - low) * scale),
            width=per_cent(max(abs(end - begin) * scale, 0.3)),
            end_x=per_cent((end - low) * scale),
            y=at * _ROW + (_ROW - _BAR) // 2,
            text_y=at * _ROW + _ROW // 2,
            nanousd=end - begin,
        )
        for at, (words, begin, end, kind) in enumerate(parts)
    ]
    return Waterfall(steps, len(steps) * _ROW, _BAR, len(report.causes) - len(told))


def rows_of(report: ExplainReport) -> list[CauseRow]:
    """The causes as a table has them; users outside the plan only where there are some."""
    return [_row(cause) for cause in report.causes if cause.name != "outside" or cause.happened]


def _row(cause: Cause) -> CauseRow:
    if cause.part_of:
        words = CAUSE_WORDS[cause.name], CAUSE_WORDS[cause.part_of]
        return CauseRow(words[0], "", "", "", "1", words[1], cause.amount_nanousd)
    return CauseRow(
        words=CAUSE_WORDS[cause.name],
        planned=_figure(cause.planned, cause.unit),
        happened=_figure(cause.happened, cause.unit),
        unit=cause.unit.replace("nanousd", "").strip(),
        factor=f"\N{MULTIPLICATION SIGN}{cause.factor:.3f}",
        part_of="",
        amount_nanousd=cause.amount_nanousd,
    )


def _figure(value: float | None, unit: str) -> str | int:
    """A quantity for people; an integer is nano-dollars."""
    if value is None:
        return ""
    if unit.startswith("nanousd"):
        return round(value)
    if unit in _SHARES:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
