"""How many users spent about as much as one of them, on a log scale. Pure."""

from math import log

import msgspec

from trimtab.console.drawing import per_cent
from trimtab.insights.standing import Standing

__all__ = ["Bin", "Strip", "draw_standing"]

_HEIGHT = 64
_LEAST_HEIGHT = 6  # one user must be seen beside thousands


class Bin(msgspec.Struct, frozen=True):
    """One step of the scale, `y` pixels from the top."""

    x: str
    width: str
    y: float
    height: float
    own: bool


class Strip(msgspec.Struct, frozen=True):
    """The picture.

    Attributes:
        bins: those in which somebody is.
        own_x, median_x: shares of the width; "" where there is none.
        own_anchor: on which side the words for the user have room.
    """

    bins: list[Bin]
    own_x: str
    own_anchor: str
    median_x: str
    height: int = _HEIGHT


def draw_standing(found: Standing) -> Strip:
    """All users by what they spent."""
    step = 100 / max(1, len(found.bins))
    most = max(found.bins, default=1)
    bins: list[Bin] = []
    for at, count in enumerate(found.bins):
        if not count:
            continue
        # A logarithm here too: else one user in a step is nothing beside the many in another.
        height = max(_HEIGHT * log(1 + count) / log(1 + most), _LEAST_HEIGHT)
        bins.append(
            Bin(
                x=per_cent((at + 0.08) * step),
                width=per_cent(0.84 * step),
                y=round(_HEIGHT - height, 1),
                height=round(height, 1),
                own=at == found.own_bin,
            )
        )
    own = None if found.own_bin is None else (found.own_bin + 0.5) * step
    middle = None if found.median_bin is None else (found.median_bin + 0.5) * step
    return Strip(
        bins=bins,
        own_x="" if own is None else per_cent(own),
        own_anchor="end" if own is not None and own > 50 else "start",
        median_x="" if middle is None else per_cent(middle),
    )
