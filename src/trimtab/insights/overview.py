"""What one page shows of a range of time: everything, or one user, model, route, key or team."""

from collections.abc import Mapping
from typing import Final

import msgspec

from trimtab.config.money import UserClass
from trimtab.insights.latency import NOTHING_TIMED, TIMED, LatencyRow, Percentiles, latency_row
from trimtab.insights.spending import SpendReport, UserSpend, spend_per_user
from trimtab.store.protocol import Reader
from trimtab.store.records import Dimension, GroupSummary, OpenIntent
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Intent

__all__ = ["GroupRow", "Overview", "Point", "Totals", "overview", "step_of"]

_MOST_POINTS: Final = 120
_TOP_USERS: Final = 10
_DAY_S: Final = 86_400
_MINUTE_STEPS_S: Final = (60, 120, 300, 600, 900, 1_800)
_HOUR_STEPS_S: Final = (3_600, 7_200, 10_800, 21_600, 43_200, _DAY_S)
_KEPT_BY_HOUR: Final = frozenset[Dimension](("user", "key", "team"))


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, tokens and nano-dollars of the whole range.

    Attributes:
        requests: inferences that ended: ok + errors + timeouts + cancelled.
        cost_nanousd: of all attempts that ended; `estimated_nanousd` is the part of it whose usage
            we estimated.
        unsettled: attempts whose end is not known because a crash came between; they are not part
            of the cost, and may cost up to `unsettled_nanousd`.
    """

    requests: int = 0
    ok: int = 0
    errors: int = 0
    timeouts: int = 0
    cancelled: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nanousd: int = 0
    estimated_nanousd: int = 0
    unsettled: int = 0
    unsettled_nanousd: int = 0


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a series.

    Attributes:
        since_ns, until_ns: UTC nanoseconds, at multiples of the step.
        failures: inferences that ended in an error or a timeout.
    """

    since_ns: int
    until_ns: int
    requests: int
    failures: int
    cost_nanousd: int
    input_tokens: int
    output_tokens: int
    latency: Percentiles
    ttft: Percentiles


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model or route: its row of `trimtab latency`, and what it cost.

    Attributes:
        failed_share: errors and timeouts over requests, 0 to 1.
    """

    row: LatencyRow
    cost_nanousd: int
    failed_share: float


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a range; amounts in nano-dollars.

    Attributes:
        since_ns, until_ns: what the totals cover; whole minutes, or whole hours for a user, key
            or team.
        step_s: seconds of each point.
        series: only steps that saw anything, oldest first; the first and the last are whole
            steps, so they may reach beyond the range.
        users: the costliest ten. Users, models and routes are only told where everything is asked
            for, because sums of one user by model are not kept.
        user_count: how many users there are in all.
        rest_nanousd: cost of the users that are not shown.
    """

    dimension: Dimension
    value: str
    since_ns: int
    until_ns: int
    step_s: int
    totals: Totals
    latency: Percentiles = NOTHING_TIMED
    ttft: Percentiles = NOTHING_TIMED
    series: list[Point] = []
    users: list[UserSpend] = []
    user_count: int = 0
    rest_nanousd: int = 0
    models: list[GroupRow] = []
    routes: list[GroupRow] = []


def step_of(dimension: Dimension, since_ns: int, until_ns: int) -> int:
    """Seconds of a step that cuts a range into at most about 120."""
    steps_s = _HOUR_STEPS_S if dimension in _KEPT_BY_HOUR else (*_MINUTE_STEPS_S, *_HOUR_STEPS_S)
    least_s = (until_ns - since_ns) / NS_PER_S / _MOST_POINTS
    whole_days_s = -(-int(least_s) // _DAY_S) * _DAY_S
    return next((step_s for step_s in steps_s if step_s >= least_s), whole_days_s)


def overview(
    reader: Reader,
    since_ns: int,
    until_ns: int,
    *,
    dimension: Dimension = "total",
    value: str = "",
    classes: Mapping[str, UserClass] = {},
) -> Overview:
    """Everything about a range between two UTC times in nanoseconds.

    Args:
        reader: of the store.
        since_ns: the first nanosecond.
        until_ns: the first one after it.
        dimension: "total", or what `value` is one of.
        value: `provider:model` of a model; "" of the total, and of requests that named no user.
        classes: whose members are compared among themselves.
    """
    step_s = step_of(dimension, since_ns, until_ns)
    groups = reader.usage_by(dimension, since_ns, until_ns, values=[value], measures=TIMED)
    steps = reader.usage_over_time(
        dimension, value, since_ns, until_ns, step_s=step_s, measures=TIMED
    )
    found = Overview(
        dimension=dimension,
        value=value,
        since_ns=since_ns,
        until_ns=until_ns,
        step_s=step_s,
        totals=_totals(groups, _unsettled(reader, since_ns, until_ns, place=(dimension, value))),
        series=[_point(step) for step in steps],
    )
    for group in groups:
        row = latency_row(group)
        found = msgspec.structs.replace(
            found,
            since_ns=group.since_ns,
            until_ns=group.until_ns,
            latency=row.total,
            ttft=row.ttft,
        )
    if dimension != "total":
        return found
    users = spend_per_user(reader, since_ns, until_ns, top=_TOP_USERS, classes=classes)
    return _with_groups(found, reader, (since_ns, until_ns), spend=users)


def _with_groups(
    found: Overview, reader: Reader, span_ns: tuple[int, int], *, spend: SpendReport
) -> Overview:
    return msgspec.structs.replace(
        found,
        users=spend.users,
        user_count=spend.user_count,
        rest_nanousd=spend.cost_nanousd - sum(user.cost_nanousd for user in spend.users),
        models=[_group_row(group) for group in reader.usage_by("model", *span_ns, measures=TIMED)],
        routes=[_group_row(group) for group in reader.usage_by("route", *span_ns, measures=TIMED)],
    )


def _totals(groups: list[GroupSummary], unsettled: list[OpenIntent]) -> Totals:
    names = set(Totals.__struct_fields__) & set(GroupSummary.__struct_fields__)
    sums = {name: sum(getattr(group, name) for group in groups) for name in names}
    return Totals(
        **sums,
        unsettled=len(unsettled),
        unsettled_nanousd=sum(entry.intent.hold_nanousd for entry in unsettled),
    )


def _unsettled(
    reader: Reader, since_ns: int, until_ns: int, *, place: tuple[Dimension, str]
) -> list[OpenIntent]:
    dimension, value = place
    return [
        entry
        for entry in reader.unsettled(since_ns, until_ns)
        if not entry.in_flight and _value_of(entry.intent, dimension) == value
    ]


def _value_of(intent: Intent, dimension: Dimension) -> str:
    values: dict[Dimension, str] = {
        "total": "",
        "route": intent.route,
        "model": f"{intent.provider}:{intent.model}",
        "user": intent.caller.user,
        "key": intent.caller.key_id,
        "team": intent.caller.team,
    }
    return values[dimension]


def _point(step: GroupSummary) -> Point:
    row = latency_row(step)
    return Point(
        since_ns=step.since_ns,
        until_ns=step.until_ns,
        requests=step.requests,
        failures=step.errors + step.timeouts,
        cost_nanousd=step.cost_nanousd,
        input_tokens=step.input_tokens,
        output_tokens=step.output_tokens,
        latency=row.total,
        ttft=row.ttft,
    )


def _group_row(group: GroupSummary) -> GroupRow:
    failed = group.errors + group.timeouts
    return GroupRow(
        row=latency_row(group),
        cost_nanousd=group.cost_nanousd,
        failed_share=failed / group.requests if group.requests else 0.0,
    )
