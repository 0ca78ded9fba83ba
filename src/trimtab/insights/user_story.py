"""One user: what each day cost, which sessions there were, and why it stands out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import msgspec

from trimtab.config.money import UserClass, class_of
from trimtab.insights.outliers import Flagged
from trimtab.insights.spending import UserSpend, spend_per_user, user_spend
from trimtab.insights.standing import Standing, standing
from trimtab.stats.outliers import FEWEST_DAYS
from trimtab.store.protocol import Reader
from trimtab.store.records import Event, EventQuery
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

__all__ = ["DaySpend", "ModelUse", "SessionSpend", "UserStory", "user_story"]

_DAY_S: Final = 86_400
_DAY_NS: Final = _DAY_S * NS_PER_S
_HOUR_NS: Final = 3_600 * NS_PER_S
_PAST_DAYS: Final = 28
_MOST_EVENTS: Final = 1_000


class DaySpend(msgspec.Struct, frozen=True, kw_only=True):
    """One UTC day, today up to now. Amounts in nano-dollars."""

    since_ns: int
    requests: int
    cost_nanousd: int


class SessionSpend(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as far as its inferences were read.

    Attributes:
        session: "" collects the inferences that named none.
        turns: its inferences.
        failures: those of them that ended in an error or a timeout.
        first_ns, last_ns: UTC nanoseconds at which its first and its last inference began.
    """

    session: str
    turns: int
    failures: int
    cost_nanousd: int
    first_ns: int
    last_ns: int


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """`provider:model` that a user was served by, the cost in nano-dollars."""

    model: str
    inferences: int
    cost_nanousd: int


class UserStory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one user.

    Attributes:
        user_class: by the project; "" for none.
        since_ns, until_ns: of `spend` and `standing`; whole hours.
        spend: this user's line of `trimtab spend users`; None where nothing came.
        flagged: why this user stands out; None for whoever does not.
        days: the last thirty UTC days, the oldest first, today up to now.
        usual_nanousd: the median of those of the first 28 of them that cost anything; None where
            fewer than seven did. The rule about sudden changes takes the same.
        sessions: the latest first; models: the most used first. Both of the newest inferences.
        events: so many inferences were read for them.
        searched_to_ns: UTC nanoseconds from which on all were read.
        whole: these are all inferences of the last 28 days.
    """

    user: str
    user_class: str
    since_ns: int
    until_ns: int
    spend: UserSpend | None
    flagged: Flagged | None
    standing: Standing
    days: list[DaySpend]
    usual_nanousd: int | None
    sessions: list[SessionSpend]
    models: list[ModelUse]
    events: int
    searched_to_ns: int
    whole: bool


class _Read(msgspec.Struct):
    events: list[Event]
    searched_to_ns: int
    whole: bool


def user_story(
    reader: Reader,
    user: str,
    span_ns: tuple[int, int],
    *,
    now_ns: int,
    classes: Mapping[str, UserClass] = {},
) -> UserStory:
    """Everything about a user.

    Args:
        reader: the records.
        user: not "".
        span_ns: the range in which all users are compared, UTC nanoseconds.
        now_ns: UTC nanoseconds.
        classes: whose members are compared among themselves.
    """
    report = spend_per_user(reader, *span_ns, top=1, classes=classes, with_past=True)
    flagged = next((one for one in report.flagged if one.name == user), None)
    costs = reader.cost_per_user(*span_ns)
    days = _days(reader, user, now_ns)
    read = _latest(reader, user, now_ns)
    return UserStory(
        user=user,
        user_class=class_of(Caller(user=user), dict(classes)),
        since_ns=report.since_ns,
        until_ns=report.until_ns,
        spend=_spend(reader, user, span_ns, total=report.cost_nanousd),
        flagged=flagged,
        standing=standing(costs, user),
        days=days,
        usual_nanousd=_usual(days[:_PAST_DAYS]),
        sessions=_sessions(read.events),
        models=_models(read.events),
        events=len(read.events),
        searched_to_ns=read.searched_to_ns,
        whole=read.whole,
    )


def _spend(reader: Reader, user: str, span_ns: tuple[int, int], *, total: int) -> UserSpend | None:
    groups = reader.usage_by("user", *span_ns, values=[user], measures=("cost",))
    held = sum(
        entry.intent.hold_nanousd
        for entry in reader.unsettled(*span_ns)
        if not entry.in_flight and entry.intent.caller.user == user
    )
    return next((user_spend(group, total=total, hold_nanousd=held) for group in groups), None)


def _days(reader: Reader, user: str, now_ns: int) -> list[DaySpend]:
    today_ns = now_ns - now_ns % _DAY_NS
    first_ns = today_ns - (_PAST_DAYS + 1) * _DAY_NS
    found = {
        step.since_ns: step
        for step in reader.usage_over_time(
            "user", user, first_ns, now_ns, step_s=_DAY_S, measures=()
        )
    }
    return [
        DaySpend(
            since_ns=at_ns,
            requests=found[at_ns].requests if at_ns in found else 0,
            cost_nanousd=found[at_ns].cost_nanousd if at_ns in found else 0,
        )
        for at_ns in range(first_ns, today_ns + 1, _DAY_NS)
    ]


def _usual(days: Sequence[DaySpend]) -> int | None:
    known = [day.cost_nanousd for day in days if day.cost_nanousd > 0]
    return round(median(known)) if len(known) >= FEWEST_DAYS else None


def _latest(reader: Reader, user: str, now_ns: int) -> _Read:
    """The newest inferences, as many as can be read in a moment."""
    since_ns = now_ns - _PAST_DAYS * _DAY_NS
    page = reader.event_page(
        EventQuery(since_ns=since_ns, until_ns=now_ns, where={"user": user}, limit=_MOST_EVENTS)
    )
    if page.searched_to_ns is not None:
        return _Read(page.events, page.searched_to_ns, whole=False)
    if page.next:
        return _Read(page.events, page.events[-1].started_ns, whole=False)
    return _Read(page.events, since_ns, whole=True)


def _sessions(events: Sequence[Event]) -> list[SessionSpend]:
    by_session: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_session[event.session].append(event)
    found = [
        SessionSpend(
            session=session,
            turns=len(there),
            failures=sum(event.outcome in {"error", "timeout"} for event in there),
            cost_nanousd=sum(event.cost_nanousd for event in there),
            first_ns=min(event.started_ns for event in there),
            last_ns=max(event.started_ns for event in there),
        )
        for session, there in by_session.items()
    ]
    return sorted(found, key=lambda one: (-one.last_ns, one.session))


def _models(events: Sequence[Event]) -> list[ModelUse]:
    by_model: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_model[f"{event.provider}:{event.model}"].append(event)
    found = [
        ModelUse(
            model=model,
            inferences=len(there),
            cost_nanousd=sum(event.cost_nanousd for event in there),
        )
        for model, there in by_model.items()
    ]
    return sorted(found, key=lambda one: (-one.inferences, one.model))
