"""The bill as a whole, and by model, route or team."""

from typing import Final, Literal

import msgspec

from trimtab.store.protocol import Reader
from trimtab.store.records import GroupSummary
from trimtab.types.clock import NS_PER_S

__all__ = ["Bill", "GroupSpend", "Grouping", "bill_of", "spend_by"]

Grouping = Literal["model", "route", "team"]

_HOUR_NS: Final = 3_600 * NS_PER_S
_SUMS: Final = (
    "requests",
    "errors",
    "timeouts",
    "input_tokens",
    "output_tokens",
    "cost_nanousd",
    "estimated_nanousd",
)


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What a range of time cost. Amounts in nano-dollars.

    Attributes:
        since_ns, until_ns: what is really covered: whole hours.
        estimated_nanousd: the part of the cost whose usage we estimated.
        unsettled, unsettled_nanousd: attempts whose end is not known because a crash came between,
            and what they might have cost at most; not part of the cost.
    """

    since_ns: int
    until_ns: int
    requests: int
    cost_nanousd: int
    estimated_nanousd: int
    unsettled: int
    unsettled_nanousd: int


class GroupSpend(msgspec.Struct, frozen=True, kw_only=True):
    """One model's, route's or team's part of the bill. Amounts in nano-dollars.

    Attributes:
        value: `provider:model` of a model; "" collects the requests without one, of which no
            distribution is kept.
        share: of the total cost, 0 to 1.
        median_nanousd, p95_nanousd: of one inference; None where that is not kept.
    """

    value: str
    requests: int
    errors: int
    timeouts: int
    input_tokens: int
    output_tokens: int
    cost_nanousd: int
    estimated_nanousd: int
    share: float
    median_nanousd: int | None
    p95_nanousd: int | None


def bill_of(reader: Reader, since_ns: int, until_ns: int) -> Bill:
    """The bill between two UTC times in nanoseconds."""
    open_attempts = [entry for entry in reader.unsettled(since_ns, until_ns) if not entry.in_flight]
    hours_ns = _hours(since_ns, until_ns)
    whole = reader.usage_by("total", *hours_ns, measures=())
    return Bill(
        since_ns=hours_ns[0],
        until_ns=hours_ns[1],
        requests=sum(group.requests for group in whole),
        cost_nanousd=sum(group.cost_nanousd for group in whole),
        estimated_nanousd=sum(group.estimated_nanousd for group in whole),
        unsettled=len(open_attempts),
        unsettled_nanousd=sum(entry.intent.hold_nanousd for entry in open_attempts),
    )


def spend_by(reader: Reader, by: Grouping, since_ns: int, until_ns: int) -> list[GroupSpend]:  # noqa: PLR0917 - what, and from when to when
    """The bill between two UTC times in nanoseconds by what it was for, the costliest first.

    All parts add up to the whole: what belongs to none is a part of its own.
    """
    hours_ns = _hours(since_ns, until_ns)
    # The total first: what is recorded between the two questions must not look like the rest.
    whole = reader.usage_by("total", *hours_ns, measures=())
    groups = reader.usage_by(by, *hours_ns, measures=("cost",))
    left = {
        name: sum(getattr(group, name) for group in whole)
        - sum(getattr(group, name) for group in groups)
        for name in _SUMS
    }
    total = sum(group.cost_nanousd for group in groups) + max(0, left["cost_nanousd"])
    rows = [_row(group, total) for group in groups]
    if left["requests"] > 0:
        amounts = {name: max(0, amount) for name, amount in left.items()}
        share = amounts["cost_nanousd"] / total if total else 0.0
        rest = GroupSpend(value="", **amounts, share=share, median_nanousd=None, p95_nanousd=None)
        rows.append(rest)
    return sorted(rows, key=lambda row: (-row.cost_nanousd, -row.requests, row.value))


def _hours(since_ns: int, until_ns: int) -> tuple[int, int]:
    return since_ns - since_ns % _HOUR_NS, until_ns + -until_ns % _HOUR_NS


def _row(group: GroupSummary, total: int) -> GroupSpend:
    median, p95 = group.cost_histogram.percentiles((0.5, 0.95))
    return GroupSpend(
        value=group.value,
        **{name: getattr(group, name) for name in _SUMS},
        share=group.cost_nanousd / total if total else 0.0,
        median_nanousd=round(median or 0),
        p95_nanousd=round(p95 or 0),
    )
