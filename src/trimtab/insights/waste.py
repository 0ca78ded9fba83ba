"""Money that bought nothing, or not all that it should: line by line, none counted twice."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, Literal

import msgspec

from trimtab.insights.explain import Books
from trimtab.insights.periods import Period
from trimtab.store.records import Fate, SpendFacts

__all__ = ["WasteLine", "WasteName", "WasteReport", "waste_of"]

WasteName = Literal[
    "retries",
    "continued",
    "failed_over",
    "hedges_lost",
    "failed",
    "cancelled",
    "truncated_broken",
    "truncated_limit",
    "cache_miss_after_failover",
]
_FATES: Final[dict[Fate, WasteName]] = {
    "retried": "retries",
    "continued": "continued",
    "failed_over": "failed_over",
    "hedge_lost": "hedges_lost",
    "failed": "failed",
    "cancelled": "cancelled",
    "broken": "truncated_broken",
    "cut": "truncated_limit",
}
_ANSWERED: Final = ("answered", "cut")
_NONE: Final = Fraction(0)


class WasteLine(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of waste.

    Attributes:
        attempts: calls that cost it.
        cost_nanousd: what they cost; of the last kind, what more they cost.
        share: of the whole bill, 0 to 1.
        estimated: worked out from shares and prices, not read from the ledger.
    """

    name: WasteName
    attempts: int
    cost_nanousd: int
    share: float
    estimated: bool


class WasteReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a period's bill was wasted on.

    Attributes:
        cost_nanousd: the whole bill.
        wasted_nanousd: the sum of all lines.
        saved_nanousd: what answers from the response cache had cost when they were made.
        saved_inferences: how many were answered so.
        repeat_nanousd: cost of inferences that users asked for again; it is part of the lines
            above and of what was answered.
        repeats: how many of them there were.
        notes: what the reader must know to judge it.
    """

    since_ns: int
    until_ns: int
    time_zone: str
    cost_nanousd: int
    wasted_nanousd: int
    share: float
    lines: list[WasteLine]
    saved_nanousd: int
    saved_inferences: int
    repeat_nanousd: int
    repeats: int
    notes: list[str]


def waste_of(books: Books, period: Period) -> WasteReport:
    """Every kind of waste of a period; those that cost nothing too."""
    facts = books.reader.spend_facts(period.edges_ns)
    cost = sum(fact.cost_nanousd for fact in facts)
    missed, unpriced = _cache_misses(books, facts)
    lines = [
        _line(name, [fact for fact in facts if fact.fate == fate], cost)
        for fate, name in _FATES.items()
    ]
    lines.append(
        WasteLine(
            name="cache_miss_after_failover",
            attempts=sum(fact.attempts for fact in facts if _moved(fact)),
            cost_nanousd=missed,
            share=missed / cost if cost else 0.0,
            estimated=True,
        )
    )
    wasted = sum(line.cost_nanousd for line in lines)
    repeats = [fact for fact in facts if fact.repeat]
    return WasteReport(
        since_ns=period.since_ns,
        until_ns=period.until_ns,
        time_zone=books.zone.key,
        cost_nanousd=cost,
        wasted_nanousd=wasted,
        share=wasted / cost if cost else 0.0,
        lines=lines,
        saved_nanousd=sum(fact.saved_nanousd for fact in facts),
        saved_inferences=sum(fact.inferences for fact in facts if fact.fate == "cached"),
        repeat_nanousd=sum(fact.cost_nanousd for fact in repeats),
        repeats=sum(fact.inferences for fact in repeats),
        notes=[
            f"{model} has no price any more: cache misses after failovers to it are not counted."
            for model in sorted(unpriced)
        ],
    )


def _line(name: WasteName, facts: Sequence[SpendFacts], cost: int) -> WasteLine:
    spent = sum(fact.cost_nanousd for fact in facts)
    return WasteLine(
        name=name,
        attempts=sum(fact.attempts for fact in facts),
        cost_nanousd=spent,
        share=spent / cost if cost else 0.0,
        estimated=False,
    )


def _moved(fact: SpendFacts) -> bool:
    """An answer from another place than the route's first: its prompt cache was not there."""
    return fact.fate == "answered" and (fact.cause == "fallback" or fact.rung > 0)


def _cache_misses(books: Books, facts: Iterable[SpendFacts]) -> tuple[int, set[str]]:
    """Nano-dollars for input that would have come from the cache, and models without a price.

    What would have come from it is the share that it had on the same day and route where nothing
    failed over. Answers that were cut are left out: they have a line of their own.
    """
    usual: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    moved: defaultdict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for fact in facts:
        figures = fact.usage.input_tokens, fact.usage.cache_read_tokens, fact.attempts
        if _moved(fact):
            there = moved[fact.since_ns, fact.route, fact.model]
        elif fact.fate in _ANSWERED and fact.cause == "first":
            there = usual[fact.since_ns, fact.route]
        else:
            continue
        for at in range(len(there)):
            there[at] += figures[at]
    missed, unpriced = _NONE, set[str]()
    for (day_ns, route, model), (tokens, read, calls) in moved.items():
        all_tokens, all_read = usual[day_ns, route]
        if not all_tokens or not calls:
            continue
        lost = Fraction(all_read, all_tokens) * tokens - read
        prices = books.prices.of(model, day_ns, tokens // calls)
        if prices is None:
            unpriced.add(model)
        elif lost > 0:
            missed += lost * max(prices.input - prices.cache_read, _NONE)
    return round(missed), unpriced
