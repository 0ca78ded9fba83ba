"""Users and keys that spend far more than others do, or than they themselves did, and why."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from trimtab.config.money import Outliers, UserClass, class_of
from trimtab.insights.concentration import Concentration, concentration
from trimtab.stats.outliers import (
    CHANGE_CHANCE,
    FALSE_ALARMS,
    FEWEST_DAYS,
    find_change,
    find_outliers,
)
from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

__all__ = [
    "LEAST_PEERS",
    "Flagged",
    "OutlierReport",
    "Read",
    "Reason",
    "Subject",
    "find_changes",
    "find_peers",
    "joined",
    "key_costs",
    "outlier_report",
]

Subject = Literal["user", "key"]
Read = Callable[[int, int], Mapping[str, int]]
"""Nano-dollars by name, between two UTC times in nanoseconds; whole hours."""

LEAST_PEERS: Final = 20
"""So many users of a class must have spent, so that they are compared among themselves."""

_HOUR_NS: Final = 3_600 * NS_PER_S
_DAY_NS: Final = 24 * _HOUR_NS
_PAST_DAYS: Final = 28
_LEAST_AGE_DAYS: Final = 14  # whoever came later has no habits yet


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody is flagged, in words and numbers. Amounts in nano-dollars.

    Attributes:
        rule: "peers": far above the others; "past": far above the own days before.
        text: as in "14.0x the median user".
        amount_nanousd: what was spent in the time looked at; of "past" the last 24 hours.
        usual_nanousd: the median of the others, or of the own days.
        times: the amount as a multiple of it.
        score: on the log scale, in standard deviations of the rest (`stats.outliers`).
        cutoff: the score from which on somebody is flagged.
        user_class: whose members were compared; "" for everyone.
    """

    rule: Literal["peers", "past"]
    text: str
    amount_nanousd: int
    usual_nanousd: int
    times: float
    score: float
    cutoff: float
    user_class: str = ""


class Flagged(msgspec.Struct, frozen=True, kw_only=True):
    """A user or a key that stands out.

    Attributes:
        name: of the user, or the id of the key.
        reasons: one or both.
    """

    per: Subject
    name: str
    reasons: tuple[Reason, ...]

    @property
    def text(self) -> str:
        """All reasons."""
        return " and ".join(reason.text for reason in self.reasons)

    @property
    def amount_nanousd(self) -> int:
        """The largest amount that was judged."""
        return max(reason.amount_nanousd for reason in self.reasons)


class OutlierReport(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands out, the largest amount first.

    Attributes:
        since_ns, until_ns: UTC nanoseconds, whole hours.
        users, keys: how concentrated their spending is.
    """

    since_ns: int
    until_ns: int
    flagged: tuple[Flagged, ...]
    users: Concentration
    keys: Concentration


def find_peers(
    costs: Mapping[str, int], *, per: Subject = "user", classes: Mapping[str, UserClass] = {}
) -> dict[str, Reason]:
    """Who spent far more than the others; by name.

    Users of a class are compared among themselves where at least 20 of it spent something, else
    with everyone. What has no name is a sum of many, and takes no part.
    """
    named = {name: cost for name, cost in costs.items() if name and cost > 0}
    found: dict[str, Reason] = {}
    for peers in _peers(named, per, classes):
        # All groups together may give as many false alarms as one population.
        allowed = FALSE_ALARMS * len(peers.population) / len(named)
        for outlier in find_outliers(peers.population, false_alarms=allowed):
            if outlier.name in peers.members:
                found[outlier.name] = Reason(
                    rule="peers",
                    text=f"{outlier.times_median:.1f}x the median {peers.words}",
                    amount_nanousd=costs[outlier.name],
                    usual_nanousd=round(outlier.value / outlier.times_median),
                    times=outlier.times_median,
                    score=outlier.score,
                    cutoff=outlier.cutoff,
                    user_class=peers.user_class,
                )
    return found


def find_changes(read: Read, until_ns: int, *, least_nanousd: int = 1) -> dict[str, Reason]:
    """Whose last 24 hours are far above their own days before; by name.

    Compared are the 24 hours up to `until_ns` and the 28 whole UTC days before them. Nothing is
    said of whoever spent on fewer than seven of those days, or first came within the last 14, or
    spent less than `least_nanousd` now.
    """
    until_ns += -until_ns % _HOUR_NS
    since_ns = until_ns - _DAY_NS
    now = {
        name: cost
        for name, cost in read(since_ns, until_ns).items()
        if name and cost >= max(1, least_nanousd)
    }
    past = _days_before(read, since_ns - since_ns % _DAY_NS, now) if now else {}
    chance = min(CHANGE_CHANCE, FALSE_ALARMS / max(1, len(past)))
    found: dict[str, Reason] = {}
    for name, days in past.items():
        change = find_change(days, now[name], chance=chance)
        if change is not None:
            found[name] = Reason(
                rule="past",
                text=f"{change.times_usual:.1f}x its own usual day",
                amount_nanousd=now[name],
                usual_nanousd=round(change.usual),
                times=change.times_usual,
                score=change.score,
                cutoff=change.cutoff,
            )
    return found


def outlier_report(
    reader: Reader,
    until_ns: int,
    *,
    policy: Outliers,
    classes: Mapping[str, UserClass] = {},
) -> OutlierReport:
    """Who stands out by the policy of the project, up to a UTC time in nanoseconds.

    Blocks for as long as some thirty questions to the store take; for a thread of its own.
    """
    until_ns += -until_ns % _HOUR_NS
    since_ns = until_ns - policy.window_h * _HOUR_NS
    flagged: list[Flagged] = []
    shares: dict[Subject, Concentration] = {"user": Concentration(), "key": Concentration()}
    for per in dict.fromkeys(policy.per):
        read = reader.cost_per_user if per == "user" else key_costs(reader)
        costs = read(since_ns, until_ns)
        shares[per] = concentration(costs)
        peers = {
            name: reason
            for name, reason in find_peers(costs, per=per, classes=classes).items()
            if reason.amount_nanousd >= policy.least_nanousd
        }
        changes = find_changes(read, until_ns, least_nanousd=policy.least_nanousd)
        flagged += joined(per, peers, changes)
    return OutlierReport(
        since_ns=since_ns,
        until_ns=until_ns,
        flagged=tuple(sorted(flagged, key=lambda one: (-one.amount_nanousd, one.per, one.name))),
        users=shares["user"],
        keys=shares["key"],
    )


def joined(
    per: Subject, peers: Mapping[str, Reason], changes: Mapping[str, Reason]
) -> list[Flagged]:
    """Everyone with a reason, with all of them; the largest amount first."""
    found = [
        Flagged(
            per=per,
            name=name,
            reasons=tuple(rule[name] for rule in (peers, changes) if name in rule),
        )
        for name in peers.keys() | changes.keys()
    ]
    return sorted(found, key=lambda one: (-one.amount_nanousd, one.name))


def key_costs(reader: Reader) -> Read:
    """Like `Reader.cost_per_user`, by id of key."""

    def read(since_ns: int, until_ns: int) -> dict[str, int]:
        groups = reader.usage_by("key", since_ns, until_ns, measures=())
        return {group.value: group.cost_nanousd for group in groups}

    return read


class _Peers(NamedTuple):
    """Who is compared with whom.

    Attributes:
        population: everyone who counts.
        members: of whom the verdict is taken.
    """

    words: str
    user_class: str
    population: Mapping[str, int]
    members: Collection[str]


def _peers(
    named: Mapping[str, int], per: Subject, classes: Mapping[str, UserClass]
) -> list[_Peers]:
    if per == "key" or not classes:
        return [_Peers(per, "", named, named)] if named else []
    known = dict(classes)
    groups: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, cost in named.items():
        groups[class_of(Caller(user=name), known)][name] = cost
    found: list[_Peers] = []
    few: list[str] = []
    for user_class, members in groups.items():
        if len(members) < LEAST_PEERS:
            few += members
        else:
            words = f"user of class {user_class}" if user_class else "user without a class"
            found.append(_Peers(words, user_class, members, members))
    if few:
        found.append(_Peers("user", "", named, frozenset(few)))
    return found


def _days_before(read: Read, until_ns: int, names: Collection[str]) -> dict[str, list[int]]:
    """What each of those with habits spent on the days before midnight `until_ns`."""
    days: defaultdict[str, list[int]] = defaultdict(list)
    age_days: dict[str, int] = {}
    for ago in range(1, _PAST_DAYS + 1):
        begin_ns = until_ns - ago * _DAY_NS
        costs = read(begin_ns, begin_ns + _DAY_NS)
        for name in names:
            cost = costs.get(name, 0)
            if cost > 0:
                days[name].append(cost)
                age_days[name] = ago
    return {
        name: costs
        for name, costs in days.items()
        if len(costs) >= FEWEST_DAYS and age_days[name] >= _LEAST_AGE_DAYS
    }
