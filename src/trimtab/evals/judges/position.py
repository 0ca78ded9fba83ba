"""Two answers, judged in both orders: what both verdicts come to, and what they tell of the judge.

A judge that takes the first of two answers whatever they are is no rarity (Zheng et al., "Judging
LLM-as-a-judge", arXiv 2306.05685; Shi et al., "Judging the judges", arXiv 2406.07791). Asked both
ways, it contradicts itself, and that is a tie and not a win.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from scipy.stats import binomtest

from trimtab.stats.agreement import Share, share_of

__all__ = ["ORDER_CHOICES", "Order", "Position", "Settled", "position_of", "settle"]

Order = Literal["first", "second", "tie"]
"""Which of two answers is the better one, by the order in which they were shown."""

ORDER_CHOICES: Final = ("first", "second", "tie")

_CONSISTENT: Final = {1: "better", 0: "tie", -1: "worse"}
_TWICE: Final = {"first": "first both times", "second": "second both times"}
_HALF: Final = "tie one way"


class Settled(NamedTuple):
    """What two orders come to.

    Attributes:
        value: 1 where the candidate is better, -1 where it is worse, 0 for a tie.
        label: how it came about; `position_of` counts these.
    """

    value: int
    label: str


class Position(NamedTuple):
    """What the place of an answer does to a judge.

    Attributes:
        rows: pairs that were judged in both orders.
        consistent: share of them with the same verdict both ways.
        first_twice, second_twice: pairs in which the answer in this place won both times.
        p: two-sided, of neither place being favoured; 1 where no pair tells.
    """

    rows: int
    consistent: Share
    first_twice: int
    second_twice: int
    p: float


def settle(candidate_first: Order, candidate_second: Order) -> Settled:
    """The verdict of both orders: with the candidate shown first, and shown second."""
    one = {"first": 1, "second": -1, "tie": 0}[candidate_first]
    other = {"first": -1, "second": 1, "tie": 0}[candidate_second]
    if one == other:
        return Settled(one, _CONSISTENT[one])
    return Settled(0, _TWICE[candidate_first] if candidate_first == candidate_second else _HALF)


def position_of(labels: Iterable[str]) -> Position | None:
    """What the labels of preferences say of the judge; None without one of `settle`'s."""
    counts = Counter(labels)
    consistent = sum(counts[label] for label in _CONSISTENT.values())
    first, second = (counts[_TWICE[place]] for place in ("first", "second"))
    rows = consistent + first + second + counts[_HALF]
    if not rows:
        return None
    p = float(binomtest(first, first + second).pvalue) if first + second else 1.0
    return Position(rows, share_of(consistent / rows, rows), first, second, p)
