"""Where the parts of a picture lie: shares of its width as "12.5%", heights in pixels. Pure.

Pictures are SVG without a view box, so that they stretch with the page and their text does not.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

__all__ = [
    "HEIGHT", "Column", "Columns", "Mark", "Tick", "draw_columns", "marks_of", "per_cent",
    "tick_amounts",
]  # fmt: skip

HEIGHT: Final = 160
_LEAST_HEIGHT: Final = 2  # of what is little and not nothing
_TICKS: Final = 3
_MOST_MARKS: Final = 5  # words below that fit a small screen


class Tick(msgspec.Struct, frozen=True):
    """A line across, `y` pixels from the top, at an amount."""

    y: float
    nanousd: int


class Mark(msgspec.Struct, frozen=True):
    """Words below, their middle at `x`."""

    x: str
    text: str


class Column(msgspec.Struct, frozen=True):
    """One column; `in_part` if it tells of a part of its day or hour only."""

    x: str
    width: str
    y: float
    height: float
    text: str
    nanousd: int
    in_part: bool


class Columns(msgspec.Struct, frozen=True):
    """Columns side by side.

    Attributes:
        line_y: of a line across, in pixels; None for none.
    """

    columns: list[Column]
    ticks: list[Tick]
    marks: list[Mark]
    line_y: float | None = None
    height: int = HEIGHT


def draw_columns(
    amounts: Sequence[tuple[str, int]],
    *,
    marks: Sequence[str],
    line_nanousd: int | None = None,
    first_in_part: bool = False,
) -> Columns:
    """Columns of the same width. The last one is taken not to be over yet.

    Args:
        amounts: nano-dollars of each with its name.
        marks: what each is called below, where there is room for it.
        line_nanousd: where a line across is.
        first_in_part: the first one is a part of its day only.
    """
    ticks = tick_amounts(max([line_nanousd or 0, *(amount for _, amount in amounts)], default=0))
    scale = HEIGHT / ticks[-1]
    step = 100 / max(1, len(amounts))
    columns: list[Column] = []
    for at, (text, amount) in enumerate(amounts):
        height = max(round(amount * scale, 1), _LEAST_HEIGHT if amount else 0)
        columns.append(
            Column(
                x=per_cent((at + 0.12) * step),
                width=per_cent(0.76 * step),
                y=HEIGHT - height,
                height=height,
                text=text,
                nanousd=amount,
                in_part=at == len(amounts) - 1 or (first_in_part and not at),
            )
        )
    return Columns(
        columns=columns,
        ticks=[Tick(round(HEIGHT - amount * scale, 1), amount) for amount in ticks],
        marks=marks_of(marks),
        line_y=None if line_nanousd is None else round(HEIGHT - line_nanousd * scale, 1),
    )


def marks_of(texts: Sequence[str]) -> list[Mark]:
    """Some of the words, each under the middle of what it belongs to; the first one always."""
    count = len(texts)
    every = -(-count // _MOST_MARKS) or 1
    step = 100 / max(1, count)
    return [
        Mark(per_cent((at + 0.5) * step), texts[at])
        for at in range(0, count, every)
        if not at or count - at >= every / 2  # else the edge is too near for its words
    ]


def tick_amounts(most_nanousd: int) -> list[int]:
    """Round amounts from 0 to the first one that is not below `most_nanousd`."""
    least = max(1, -(-most_nanousd // _TICKS))
    power = 10 ** (len(str(least)) - 1)
    step = next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least)
    return [step * at for at in range(max(1, -(-most_nanousd // step)) + 1)]


def per_cent(share: float) -> str:
    """A share of 100 as an attribute."""
    return f"{share:.3f}%"
