"""Where one user stands among all, on a log scale: amounts per user are heavy-tailed. Pure."""

from collections.abc import Mapping
from math import floor, log
from statistics import median
from typing import Final

import msgspec

__all__ = ["Standing", "standing"]

_BINS: Final = 48
_LEAST_RATIO: Final = 10.0  # of the picture's ends, so that equal amounts do not fill it


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One user and how many others spent about as much. Amounts in nano-dollars.

    Attributes:
        rank: 1 is the costliest; 0 for who spent nothing.
        count: how many users spent something. What has no name takes no part.
        median_nanousd: of all of them.
        low_nanousd, high_nanousd: the ends of the scale.
        bins: how many users are in each of its equal steps, on a log scale.
        own_bin, median_bin: the steps of the user and of the median; None where there is none.
    """

    rank: int = 0
    count: int = 0
    median_nanousd: int = 0
    low_nanousd: int = 0
    high_nanousd: int = 0
    bins: tuple[int, ...] = ()
    own_bin: int | None = None
    median_bin: int | None = None


def standing(costs: Mapping[str, int], name: str) -> Standing:
    """Where `name` stands; nano-dollars by name."""
    amounts = [cost for other, cost in costs.items() if other and cost > 0]
    if not amounts:
        return Standing()
    low, high = float(min(amounts)), float(max(amounts))
    widen = max(1.0, (_LEAST_RATIO * low / high) ** 0.5)
    low, high = low / widen, high * widen
    scale = _BINS / log(high / low)
    bins = [0] * _BINS
    for amount in amounts:
        bins[_bin(amount, low, scale)] += 1
    own = costs.get(name, 0) if name else 0
    typical = median(amounts)
    return Standing(
        rank=1 + sum(amount > own for amount in amounts) if own > 0 else 0,
        count=len(amounts),
        median_nanousd=round(typical),
        low_nanousd=round(low),
        high_nanousd=round(high),
        bins=tuple(bins),
        own_bin=_bin(own, low, scale) if own > 0 else None,
        median_bin=_bin(typical, low, scale),
    )


def _bin(amount: float, low: float, scale: float) -> int:
    return min(max(floor(log(amount / low) * scale), 0), _BINS - 1)
