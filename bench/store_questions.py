"""What the command line and the console ask, and the same in plain SQL over the rows."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, Final, NamedTuple

from trimtab.console.query import Span
from trimtab.console.users import ORDERS, users_values
from trimtab.insights.latency import Grouping, latency_by
from trimtab.insights.overview import overview
from trimtab.insights.spending import spend_per_user
from trimtab.store.protocol import Reader
from trimtab.store.records import Dimension, EventField, EventOrder, EventQuery
from trimtab.types.clock import NS_PER_S

__all__ = ["Check", "Question", "checks", "questions"]

_HOUR_NS: Final = 3_600 * NS_PER_S
_RANGES: Final = {
    "1h": _HOUR_NS,
    "24h": 24 * _HOUR_NS,
    "3d 7h 13m": (3 * 24 + 7) * _HOUR_NS + 13 * 60 * NS_PER_S,
    "7d": 7 * 24 * _HOUR_NS,
    "30d": 30 * 24 * _HOUR_NS,
}
_PAGE: Final = 50
_USER: Final = "user00042"
_GROUPINGS: Final[tuple[Grouping, ...]] = ("total", "model", "route", "user")
_PLACES: Final[tuple[tuple[Dimension, str], ...]] = (
    ("total", ""),
    ("user", _USER),
    ("model", "provider1:model-01"),
)
_ORDERS: Final[tuple[EventOrder, ...]] = ("newest", "costliest", "slowest")
_FILTERS: Final[dict[str, dict[EventField, str]]] = {
    "all": {},
    "of the heaviest user": {"user": "user00000"},
    "of a rare user": {"user": "user09999"},
    "of a model": {"model": "model-01"},
    "of a rare model": {"model": "model-19"},
    "that timed out": {"outcome": "timeout"},
    "of a session": {"session": "user00042-1"},
    "that nothing matches": {"error_code": "unheard_of"},
}


_Span = tuple[int, int]
_Percentiles = dict[str, tuple[int, float | None, float | None]]


class Question(NamedTuple):
    """One question, with the milliseconds that its answer may take."""

    name: str
    goal_ms: int
    ask: Callable[[Reader], object]


class Check(NamedTuple):
    """An answer of the reader, the same from the rows, and how far the two are apart.

    `compare` returns the worst relative difference: 0.01 is 1 %.
    """

    name: str
    ask: Callable[[Reader], Any]
    sql: Callable[[Path], Any]
    compare: Callable[[Any, Any], float]


def questions(until_ns: int) -> Iterator[Question]:
    """All of them, for ranges that end at `until_ns` and lists of the last 30 days."""
    spans = {name: (until_ns - length_ns, until_ns) for name, length_ns in _RANGES.items()}
    for name in ("24h", "7d", "30d"):
        yield Question(f"top 20 users by cost, {name}", 50, partial(_spend, spans[name], 20))
        for order in ORDERS:
            ask = partial(_users_page, Span(*spans[name], name), order)
            yield Question(f"users page by {order}, {name}", 100, ask)
        yield Question(f"spend users, all, {name}", 50, partial(_spend, spans[name], None))
    for by in _GROUPINGS:
        for name, span in spans.items():
            yield Question(f"latency by {by}, {name}", 50, partial(_latency, by, span))
    for name, span in spans.items():
        yield Question(f"latency page, 50 users, {name}", 100, partial(_latency_page, span))
    for place in _PLACES:
        for name in ("1h", "24h", "7d", "30d"):
            what = place[1] or "everything"
            yield Question(f"overview of {what}, {name}", 100, partial(_see, place, spans[name]))
    yield from _lists(spans["30d"])
    one: list[str] = []
    yield Question("one inference, a week old", 100, partial(_event, one, spans["7d"][0]))
    yield Question("its attempts", 100, partial(_attempts, one, spans["7d"][0]))


def _lists(span: _Span) -> Iterator[Question]:
    for order in _ORDERS:
        for name, where in _FILTERS.items():
            query = EventQuery(
                since_ns=span[0], until_ns=span[1], where=where, order=order, limit=_PAGE
            )
            yield Question(f"inferences {name}, {order}", 100, partial(_list, query))
        yield Question(
            f"inferences all, {order}, pages 1 to 20", 2_000, partial(_page_20, span, order)
        )


def _spend(span: _Span, top: int | None, reader: Reader) -> object:
    return spend_per_user(reader, *span, top=top)


def _users_page(span: Span, order: str, reader: Reader) -> object:
    return users_values(reader, span, order=order, skip=0)


def _latency(by: Grouping, span: _Span, reader: Reader) -> object:
    return latency_by(reader, by, since_ns=span[0], until_ns=span[1])


def _latency_page(span: _Span, reader: Reader) -> object:
    return latency_by(reader, "user", since_ns=span[0], until_ns=span[1], top=50)


def _see(place: tuple[Dimension, str], span: _Span, reader: Reader) -> object:
    return overview(reader, *span, dimension=place[0], value=place[1])


def _list(query: EventQuery, reader: Reader) -> object:
    return reader.event_page(query)


def _event(one: list[str], before_ns: int, reader: Reader) -> object:
    return reader.event(_one_id(one, before_ns, reader))


def _attempts(one: list[str], before_ns: int, reader: Reader) -> object:
    return reader.attempts(_one_id(one, before_ns, reader))


def _one_id(one: list[str], before_ns: int, reader: Reader) -> str:
    """An inference of several attempts; looked for once, and remembered in `one`."""
    if not one:
        found = reader.event_page(EventQuery(since_ns=0, until_ns=before_ns, limit=100)).events
        one.append(([event for event in found if event.attempts > 1] or found)[0].inference_id)
    return one[0]


def _page_20(span: _Span, order: EventOrder, reader: Reader) -> object:
    after = ""
    page = None
    for _ in range(20):
        query = EventQuery(
            since_ns=span[0], until_ns=span[1], order=order, limit=_PAGE, after=after
        )
        page = reader.event_page(query)
        after = page.next
    return page


# ------------------------------------------------------------------ the same from the rows


def checks(until_ns: int) -> Iterator[Check]:
    """Questions that plain SQL over the same day files answers as well."""
    month = (until_ns - _RANGES["30d"], until_ns)
    for name in ("7d", "30d"):
        span = (until_ns - _RANGES[name], until_ns)
        yield Check(
            f"percentiles by model, {name}",
            partial(_told_percentiles, span),
            partial(_percentiles_by_model, span),
            _percentiles_differ,
        )
    # Users are kept by the hour: the rows are asked for the hours that the reader answers for.
    hours = (month[0] - month[0] % _HOUR_NS, month[1] + -month[1] % _HOUR_NS)
    yield Check(
        "top 20 users by cost, 30d",
        partial(_told_users, month),
        partial(_top_users, hours),
        _differ,
    )
    yield Check(
        "last 50 of one user", partial(_told_last, month), partial(_last_of_user, month), _differ
    )


def _told_percentiles(span: _Span, reader: Reader) -> _Percentiles:
    rows = latency_by(reader, "model", since_ns=span[0], until_ns=span[1])
    return {
        row.value: (row.requests, row.total.p50_ms, row.total.p99_ms)
        for row in rows
        if row.requests
    }


def _told_users(span: _Span, reader: Reader) -> list[tuple[str, int, int]]:
    users = spend_per_user(reader, *span, top=20).users
    return [(user.user, user.requests, user.cost_nanousd) for user in users]


def _told_last(span: _Span, reader: Reader) -> list[str]:
    query = EventQuery(since_ns=span[0], until_ns=span[1], where={"user": _USER}, limit=_PAGE)
    return [event.inference_id for event in reader.event_page(query).events]


def _each_day(folder: Path) -> Iterator[sqlite3.Connection]:
    for path in sorted(folder.glob("events-*.sqlite"), reverse=True):
        with closing(sqlite3.connect(path)) as db:
            yield db


def _percentiles_by_model(span: _Span, folder: Path) -> _Percentiles:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for db in _each_day(folder):
        for model, latency_us in db.execute(
            "SELECT provider || ':' || model, latency_us FROM events "
            "WHERE started_ns >= ? AND started_ns < ?",
            span,
        ):
            found[model].append(latency_us)
    return {
        model: (len(there), _exact(there, 0.5), _exact(there, 0.99))
        for model, there in found.items()
    }


def _exact(values: list[int], q: float) -> float:
    values.sort()
    return values[max(ceil(q * len(values)), 1) - 1] / 1_000


def _top_users(span: _Span, folder: Path) -> list[tuple[str, int, int]]:
    counts: defaultdict[str, int] = defaultdict(int)
    costs: defaultdict[str, int] = defaultdict(int)
    for db in _each_day(folder):
        for user, count, cost in db.execute(
            "SELECT user, count(*), sum(cost_nanousd) FROM events "
            "WHERE started_ns >= ? AND started_ns < ? GROUP BY user",
            span,
        ):
            counts[user] += count
            costs[user] += cost
    ordered = sorted(costs, key=lambda user: (-costs[user], user))
    return [(user, counts[user], costs[user]) for user in ordered[:20]]


def _last_of_user(span: _Span, folder: Path) -> list[str]:
    found: list[str] = []
    for db in _each_day(folder):
        found += [
            row[0]
            for row in db.execute(
                "SELECT inference_id FROM events WHERE user = ? AND started_ns >= ? "
                "AND started_ns < ? ORDER BY started_ns DESC, inference_id DESC LIMIT ?",
                (_USER, *span, _PAGE - len(found)),
            )
        ]
        if len(found) >= _PAGE:
            break
    return found


def _differ(told: object, rows: object) -> float:
    return 0.0 if told == rows else 1.0


def _percentiles_differ(told: _Percentiles, rows: _Percentiles) -> float:
    if told.keys() != rows.keys() or any(told[name][0] != rows[name][0] for name in rows):
        return 1.0
    return max(
        abs((mine or 0) - (exact or 0)) / (exact or 1)
        for name in rows
        for mine, exact in zip(told[name][1:], rows[name][1:], strict=True)
    )
