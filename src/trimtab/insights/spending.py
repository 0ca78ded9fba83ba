"""What each user costs, and who stands out."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import msgspec

from trimtab.config.money import UserClass
from trimtab.insights.concentration import Concentration, concentration
from trimtab.insights.outliers import Flagged, find_changes, find_peers, joined
from trimtab.insights.ranking import costliest
from trimtab.store.protocol import Reader
from trimtab.store.records import GroupSummary
from trimtab.types.clock import NS_PER_S

__all__ = ["SpendReport", "UserSpend", "spend_per_user", "user_spend"]

_HOUR_NS: Final = 3_600 * NS_PER_S


class UserSpend(msgspec.Struct, frozen=True, kw_only=True):
    """One user's part of the bill. Amounts in nano-dollars.

    Attributes:
        user: "" collects the requests that named none.
        cost_nanousd: of all attempts that have ended.
        estimated_nanousd: the part of it whose usage we estimated, because the provider was cut
            off before it reported any.
        unsettled_nanousd: holds of attempts whose end is not known (a crash came between); not
            part of the cost.
        share: of the total cost, 0 to 1.
        outlier: why this user stands out, in words, or "".
    """

    user: str
    requests: int
    errors: int
    timeouts: int
    cancelled: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nanousd: int
    estimated_nanousd: int
    unsettled_nanousd: int
    share: float
    median_nanousd: int
    p95_nanousd: int
    outlier: str


class SpendReport(msgspec.Struct, frozen=True, kw_only=True):
    """The bill of a range of time, by user, the costliest first.

    Attributes:
        since_ns, until_ns: what is really covered: whole hours, so possibly a little more than
            was asked for.
        user_count: how many users there are, shown or not.
        users: all of them, or the costliest if only those were asked for.
        concentration: what share the few at the top have.
        flagged: everyone who stands out, shown or not, with all figures.
    """

    since_ns: int
    until_ns: int
    cost_nanousd: int
    estimated_nanousd: int
    unsettled_nanousd: int
    requests: int
    user_count: int
    users: list[UserSpend]
    concentration: Concentration
    flagged: list[Flagged]


def spend_per_user(
    reader: Reader,
    since_ns: int,
    until_ns: int,
    *,
    top: int | None = None,
    classes: Mapping[str, UserClass] = {},
    with_past: bool = False,
) -> SpendReport:
    """Who spent what between two UTC times in nanoseconds.

    Args:
        reader: the records.
        since_ns: from when.
        until_ns: to when.
        top: only the costliest; None for all users.
        classes: whose members are compared among themselves.
        with_past: look for sudden changes too, which takes some thirty more questions.
    """
    holds = _holds_by_user(reader, since_ns, until_ns)
    if top is None:
        groups = whole = reader.usage_by("user", since_ns, until_ns, measures=("cost",))
        costs = {group.value: group.cost_nanousd for group in groups}
    else:
        costs = reader.cost_per_user(since_ns, until_ns)
        shown = costliest(costs, top)
        groups = reader.usage_by("user", since_ns, until_ns, values=shown, measures=("cost",))
        hours_ns = (since_ns - since_ns % _HOUR_NS, until_ns + -until_ns % _HOUR_NS)
        whole = reader.usage_by("total", *hours_ns, measures=())
    peers = find_peers(costs, classes=classes)
    changes = find_changes(reader.cost_per_user, until_ns) if with_past else {}
    flagged = joined("user", peers, changes)
    reasons = {one.name: one.text for one in flagged}
    total_nanousd = sum(costs.values())
    users = [
        user_spend(
            group,
            total=total_nanousd,
            hold_nanousd=holds.get(group.value, 0),
            outlier=reasons.get(group.value, ""),
        )
        for group in groups
    ]
    held_only = sorted(holds.keys() - costs.keys())
    users += [_only_holds(user, holds[user]) for user in held_only]
    return SpendReport(
        since_ns=since_ns - since_ns % _HOUR_NS,
        until_ns=until_ns + -until_ns % _HOUR_NS,
        cost_nanousd=total_nanousd,
        estimated_nanousd=sum(group.estimated_nanousd for group in whole),
        unsettled_nanousd=sum(holds.values()),
        requests=sum(group.requests for group in whole),
        user_count=len(costs) + len(held_only),
        users=users[:top],
        concentration=concentration(costs),
        flagged=flagged,
    )


def _holds_by_user(reader: Reader, since_ns: int, until_ns: int) -> dict[str, int]:
    holds: defaultdict[str, int] = defaultdict(int)
    for entry in reader.unsettled(since_ns, until_ns):
        if not entry.in_flight:
            holds[entry.intent.caller.user] += entry.intent.hold_nanousd
    return holds


def user_spend(
    group: GroupSummary, *, total: int, hold_nanousd: int, outlier: str = ""
) -> UserSpend:
    """One user's part of a bill of `total` nano-dollars, beside what is held for it."""
    median, p95 = group.cost_histogram.percentiles((0.5, 0.95))
    return UserSpend(
        user=group.value,
        requests=group.requests,
        errors=group.errors,
        timeouts=group.timeouts,
        cancelled=group.cancelled,
        input_tokens=group.input_tokens,
        cache_read_tokens=group.cache_read_tokens,
        output_tokens=group.output_tokens,
        reasoning_tokens=group.reasoning_tokens,
        cost_nanousd=group.cost_nanousd,
        estimated_nanousd=group.estimated_nanousd,
        unsettled_nanousd=hold_nanousd,
        share=group.cost_nanousd / total if total else 0.0,
        median_nanousd=round(median or 0),
        p95_nanousd=round(p95 or 0),
        outlier=outlier,
    )


def _only_holds(user: str, hold_nanousd: int) -> UserSpend:
    """A user of whom only unsettled attempts are known."""
    return UserSpend(
        user=user,
        requests=0,
        errors=0,
        timeouts=0,
        cancelled=0,
        input_tokens=0,
        cache_read_tokens=0,
        output_tokens=0,
        reasoning_tokens=0,
        cost_nanousd=0,
        estimated_nanousd=0,
        unsettled_nanousd=hold_nanousd,
        share=0.0,
        median_nanousd=0,
        p95_nanousd=0,
        outlier="",
    )
