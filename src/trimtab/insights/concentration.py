"""How much of the bill the few at the top have."""

from collections.abc import Mapping
from heapq import nlargest
from typing import Final

import msgspec

__all__ = ["Concentration", "concentration"]

_FEW: Final = 5


class Concentration(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of the whole amount, each 0 to 1.

    Attributes:
        count: how many spent something.
        top_1: of the largest.
        top_5: of the five largest together.
        top_percent: of the largest hundredth, `percent_count` of them (at least one).
    """

    count: int = 0
    top_1: float = 0.0
    top_5: float = 0.0
    top_percent: float = 0.0
    percent_count: int = 0


def concentration(costs: Mapping[str, int]) -> Concentration:
    """Who has how much of the sum; amounts in nano-dollars. Those who spent nothing do not count.

    The name "" stands for many that nobody can tell apart, so it is never among the largest.
    """
    total = sum(costs.values())
    amounts = [cost for name, cost in costs.items() if name and cost > 0]
    if not amounts:
        return Concentration()
    percent_count = -(-len(amounts) // 100)
    largest = nlargest(max(_FEW, percent_count), amounts)
    return Concentration(
        count=len(amounts),
        top_1=largest[0] / total,
        top_5=sum(largest[:_FEW]) / total,
        top_percent=sum(largest[:percent_count]) / total,
        percent_count=percent_count,
    )
