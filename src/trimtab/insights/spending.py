"""What each user costs, and who stands out."""

from collections import defaultdict

import msgspec

from trimtab.stats.outliers import Outlier, find_outliers
from trimtab.store.protocol import Reader
from trimtab.store.records import GroupSummary

__all__ = ["SpendReport", "UserSpend", "spend_per_user"]


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
        outlier: why this user stands out by the rule of `stats.outliers`, or "".
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
    """

    since_ns: int
    until_ns: int
    cost_nanousd: int
    estimated_nanousd: int
    unsettled_nanousd: int
    requests: int
    user_count: int
    users: list[UserSpend]


def spend_per_user(
    reader: Reader, since_ns: int, until_ns: int, *, top: int | None = None
) -> SpendReport:
    """Who spent what between two UTC times in nanoseconds; of all users, or the `top` costliest."""
    groups = reader.usage_by("user", since_ns, until_ns)
    holds = _holds_by_user(reader, since_ns, until_ns)
    total = sum(group.cost_nanousd for group in groups)
    outliers = {
        found.name: found
        for found in find_outliers({group.value: group.cost_nanousd for group in groups})
    }
    users = [
        _user_spend(
            group,
            total=total,
            hold_nanousd=holds.pop(group.value, 0),
            outlier=outliers.get(group.value),
        )
        for group in groups
    ]
    users += [_only_holds(user, hold) for user, hold in sorted(holds.items())]
    return SpendReport(
        since_ns=min([since_ns, *(group.since_ns for group in groups)]),
        until_ns=max([until_ns, *(group.until_ns for group in groups)]),
        cost_nanousd=total,
        estimated_nanousd=sum(user.estimated_nanousd for user in users),
        unsettled_nanousd=sum(user.unsettled_nanousd for user in users),
        requests=sum(user.requests for user in users),
        user_count=len(users),
        users=users[:top],
    )


def _holds_by_user(reader: Reader, since_ns: int, until_ns: int) -> dict[str, int]:
    holds: defaultdict[str, int] = defaultdict(int)
    for entry in reader.unsettled(since_ns, until_ns):
        if not entry.in_flight:
            holds[entry.intent.caller.user] += entry.intent.hold_nanousd
    return holds


def _user_spend(
    group: GroupSummary, *, total: int, hold_nanousd: int, outlier: Outlier | None
) -> UserSpend:
    costs = group.cost_histogram
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
        median_nanousd=round(costs.percentile(0.5) or 0),
        p95_nanousd=round(costs.percentile(0.95) or 0),
        outlier="" if outlier is None else _reason(outlier),
    )


def _reason(outlier: Outlier) -> str:
    return f"{outlier.times_median:.1f}x the median user"


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
