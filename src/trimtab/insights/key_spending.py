"""What each key of an application costs, and which stand out."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from trimtab.insights.concentration import Concentration, concentration
from trimtab.insights.outliers import Flagged, find_changes, find_peers, joined, key_costs
from trimtab.store.protocol import Reader
from trimtab.store.records import GroupSummary
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Key

__all__ = ["KeyReport", "KeySpend", "spend_per_key"]

_HOUR_NS: Final = 3_600 * NS_PER_S
_SUMS: Final = (
    "requests",
    "ok",
    "errors",
    "timeouts",
    "cancelled",
    "input_tokens",
    "output_tokens",
    "cost_nanousd",
    "estimated_nanousd",
)


class KeySpend(msgspec.Struct, frozen=True, kw_only=True):
    """One key's part of the bill. Amounts in nano-dollars.

    Attributes:
        key_id: "" collects the requests without a key, of which no distribution is kept.
        name: what people call it; "" if the key store does not know it.
        estimated_nanousd: the part of the cost whose usage we estimated.
        unsettled_nanousd: holds of attempts whose end is not known; not part of the cost.
        share: of the total cost, 0 to 1.
        median_nanousd, p95_nanousd: of one inference.
        outlier: why this key stands out, in words, or "".
    """

    key_id: str
    name: str
    team: str
    requests: int = 0
    errors: int = 0
    timeouts: int = 0
    cancelled: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int = 0
    estimated_nanousd: int = 0
    unsettled_nanousd: int
    share: float = 0.0
    median_nanousd: int = 0
    p95_nanousd: int = 0
    outlier: str = ""


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The bill of a range of time, by key, the costliest first.

    Attributes:
        since_ns, until_ns: what is really covered: whole hours.
        concentration: what share the few at the top have.
        flagged: every key that stands out, with all figures.
    """

    since_ns: int
    until_ns: int
    cost_nanousd: int
    estimated_nanousd: int
    unsettled_nanousd: int
    requests: int
    keys: list[KeySpend]
    concentration: Concentration
    flagged: list[Flagged]


def spend_per_key(
    reader: Reader, since_ns: int, until_ns: int, *, known: Iterable[Key] = ()
) -> KeyReport:
    """Which key spent what between two UTC times in nanoseconds, by the names of `known` keys."""
    holds: defaultdict[str, int] = defaultdict(int)
    for entry in reader.unsettled(since_ns, until_ns):
        if not entry.in_flight:
            holds[entry.intent.caller.key_id] += entry.intent.hold_nanousd
    groups = _groups(reader, since_ns - since_ns % _HOUR_NS, until_ns + -until_ns % _HOUR_NS)
    costs = {group.value: group.cost_nanousd for group in groups}
    changes = find_changes(key_costs(reader), until_ns)
    flagged = joined("key", find_peers(costs, per="key"), changes)
    reasons = {one.name: one.text for one in flagged}
    total_nanousd = sum(costs.values())
    named = {key.key_id: key for key in known}
    keys = [
        _key_spend(
            group,
            named.get(group.value),
            total=total_nanousd,
            hold_nanousd=holds.get(group.value, 0),
            outlier=reasons.get(group.value, ""),
        )
        for group in groups
    ]
    keys += [
        KeySpend(
            key_id=key_id,
            name=named[key_id].name if key_id in named else "",
            team=named[key_id].team if key_id in named else "",
            unsettled_nanousd=holds[key_id],
        )
        for key_id in sorted(holds.keys() - costs.keys())
    ]
    return KeyReport(
        since_ns=since_ns - since_ns % _HOUR_NS,
        until_ns=until_ns + -until_ns % _HOUR_NS,
        cost_nanousd=total_nanousd,
        estimated_nanousd=sum(key.estimated_nanousd for key in keys),
        unsettled_nanousd=sum(holds.values()),
        requests=sum(key.requests for key in keys),
        keys=keys,
        concentration=concentration(costs),
        flagged=flagged,
    )


def _groups(reader: Reader, since_ns: int, until_ns: int) -> list[GroupSummary]:
    """Every key, and what is left of the total: the store keeps no sums of "no key"."""
    # The total first: what is recorded between the two questions must not look like it.
    whole = reader.usage_by("total", since_ns, until_ns, measures=())
    groups = reader.usage_by("key", since_ns, until_ns, measures=("cost",))
    left = {
        name: sum(getattr(group, name) for group in whole)
        - sum(getattr(group, name) for group in groups)
        for name in _SUMS
    }
    if left["requests"] > 0:
        amounts = {name: max(0, amount) for name, amount in left.items()}
        groups.append(msgspec.structs.replace(whole[0], value="", **amounts))
    return sorted(groups, key=lambda group: (-group.cost_nanousd, -group.requests, group.value))


def _key_spend(
    group: GroupSummary, key: Key | None, *, total: int, hold_nanousd: int, outlier: str
) -> KeySpend:
    median, p95 = group.cost_histogram.percentiles((0.5, 0.95))
    return KeySpend(
        key_id=group.value,
        name="" if key is None else key.name,
        team="" if key is None else key.team,
        requests=group.requests,
        errors=group.errors,
        timeouts=group.timeouts,
        cancelled=group.cancelled,
        input_tokens=group.input_tokens,
        output_tokens=group.output_tokens,
        cost_nanousd=group.cost_nanousd,
        estimated_nanousd=group.estimated_nanousd,
        unsettled_nanousd=hold_nanousd,
        share=group.cost_nanousd / total if total else 0.0,
        median_nanousd=round(median or 0),
        p95_nanousd=round(p95 or 0),
        outlier=outlier,
    )
