"""What the command line and the console ask, and the same in plain SQL over the rows."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from math import ceil
from pathlib import Path
from typing import Any, Final, NamedTuple

from trimtab.insights.latency import latency_by
from trimtab.insights.overview import overview
from trimtab.insights.spending import spend_per_user
from trimtab.store.protocol import Reader
from trimtab.store.records import EventField, EventOrder, EventQuery
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


class Question(NamedTuple):
    """One question, with the milliseconds that its answer may take."""

    name: str
    goal_ms: int
    ask: Callable[[Reader], object]


class Check(NamedTuple):
    """An answer of the reader and the same from the rows; `compare` returns the worst difference.

    The difference is relative: 0.01 is 1 %.
    """

    name: str
    ask: Callable[[Reader], Any]
    sql: Callable[[Path], Any]
    compare: Callable[[Any, Any], float]


def questions(until_ns: int) -> Iterator[Question]:
    """All of them, for ranges that end at `until_ns` and lists of the last 30 days."""
    yield from _spending(until_ns)
    yield from _latencies(until_ns)
    yield from _overviews(until_ns)
    yield from _lists(until_ns)


def _spending(until_ns: int) -> Iterator[Question]:
    for name in ("24h", "7d", "30d"):
        since_ns = until_ns - _RANGES[name]
        yield Question(
            f"top 20 users by cost, {name}",
            50,
            lambda reader, since_ns=since_ns: spend_per_user(reader, since_ns, until_ns, top=20),
        )
        yield Question(
            f"spend users, all of them, {name}",
            50,
            lambda reader, since_ns=since_ns: spend_per_user(reader, since_ns, until_ns),
        )


def _latencies(until_ns: int) -> Iterator[Question]:
    for by in ("total", "model", "route", "user"):
        for name, length_ns in _RANGES.items():
            yield Question(
                f"latency by {by}, {name}",
                50,
                lambda reader, by=by, length_ns=length_ns: latency_by(
                    reader, by, since_ns=until_ns - length_ns, until_ns=until_ns
                ),
            )


def _overviews(until_ns: int) -> Iterator[Question]:
    for dimension, value in (("total", ""), ("user", "user00042"), ("model", "provider1:model-01")):
        for name in ("1h", "24h", "7d", "30d"):
            yield Question(
                f"overview of {value or 'everything'}, {name}",
                100,
                lambda reader, name=name, dimension=dimension, value=value: overview(
                    reader, until_ns - _RANGES[name], until_ns, dimension=dimension, value=value
                ),
            )


def _lists(until_ns: int) -> Iterator[Question]:
    since_ns = until_ns - _RANGES["30d"]
    filters: dict[str, dict[EventField, str]] = {
        "all": {},
        "of the heaviest user": {"user": "user00000"},
        "of a rare user": {"user": "user09999"},
        "of a model": {"model": "model-01"},
        "of a rare model": {"model": "model-19"},
        "that timed out": {"outcome": "timeout"},
        "of a session": {"session": "user00042-1"},
        "that nothing matches": {"error_code": "unheard_of"},
    }
    orders: tuple[EventOrder, ...] = ("newest", "costliest", "slowest")
    for order in orders:
        for name, where in filters.items():
            query = EventQuery(
                since_ns=since_ns, until_ns=until_ns, where=where, order=order, limit=_PAGE
            )
            yield Question(
                f"inferences {name}, {order}", 100, lambda reader, query=query: reader.event_page(query)
            )
        yield Question(
            f"inferences all, {order}, pages 1 to 20",
            2_000,
            lambda reader, order=order: _page_20(reader, since_ns, until_ns, order=order),
        )
    middle_ns = until_ns - _RANGES["7d"]
    some: dict[str, str] = {}

    def one_id(reader: Reader) -> str:
        if not some:
            query = EventQuery(since_ns=0, until_ns=middle_ns, limit=50)
            found = reader.event_page(query).events
            some["id"] = next((e.inference_id for e in found if e.attempts > 1), found[0].inference_id)
        return some["id"]

    yield Question("one inference, a week old", 100, lambda reader: reader.event(one_id(reader)))
    yield Question("its attempts", 100, lambda reader: reader.attempts(one_id(reader)))


def _page_20(reader: Reader, since_ns: int, until_ns: int, *, order: EventOrder) -> object:
    after = ""
    page = None
    for _ in range(20):
        query = EventQuery(
            since_ns=since_ns, until_ns=until_ns, order=order, limit=_PAGE, after=after
        )
        page = reader.event_page(query)
        after = page.next
    return page


# ------------------------------------------------------------------ the same from the rows


def checks(until_ns: int) -> Iterator[Check]:
    """Questions that plain SQL over the same day files answers as well."""
    for name in ("7d", "30d"):
        span = (until_ns - _RANGES[name], until_ns)
        yield Check(
            f"percentiles by model, {name}",
            lambda reader, span=span: {
                row.value: (row.requests, row.total.p50_ms, row.total.p99_ms)
                for row in latency_by(reader, "model", since_ns=span[0], until_ns=span[1])
            },
            lambda folder, span=span: _percentiles_by_model(folder, span),
            _percentiles_differ,
        )
    # Users are kept by the hour: the rows are asked for the hours that the reader answers for.
    span = (until_ns - _RANGES["30d"], until_ns)
    hours = (span[0] - span[0] % _HOUR_NS, span[1] + -span[1] % _HOUR_NS)
    yield Check(
        "top 20 users by cost, 30d",
        lambda reader: [
            (user.user, user.requests, user.cost_nanousd)
            for user in spend_per_user(reader, *span, top=20).users
        ],
        lambda folder: _top_users(folder, hours),
        _differ,
    )
    query = EventQuery(since_ns=span[0], until_ns=span[1], where={"user": "user00042"}, limit=_PAGE)
    yield Check(
        "last 50 of one user",
        lambda reader: [event.inference_id for event in reader.event_page(query).events],
        lambda folder: _last_of_user(folder, span),
        _differ,
    )


def _each_day(folder: Path) -> Iterator[sqlite3.Connection]:
    for path in sorted(folder.glob("events-*.sqlite"), reverse=True):
        with closing(sqlite3.connect(path)) as db:
            yield db


def _percentiles_by_model(folder: Path, span: tuple[int, int]) -> dict[str, tuple[int, float, float]]:
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


def _top_users(folder: Path, span: tuple[int, int]) -> list[tuple[str, int, int]]:
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


def _last_of_user(folder: Path, span: tuple[int, int]) -> list[str]:
    found: list[str] = []
    for db in _each_day(folder):
        found += [
            row[0]
            for row in db.execute(
                "SELECT inference_id FROM events WHERE user = ? AND started_ns >= ? "
                "AND started_ns < ? ORDER BY started_ns DESC, inference_id DESC LIMIT ?",
                ("user00042", *span, _PAGE - len(found)),
            )
        ]
        if len(found) >= _PAGE:
            break
    return found


def _differ(told: object, rows: object) -> float:
    return 0.0 if told == rows else 1.0


def _percentiles_differ(
    told: dict[str, tuple[int, float, float]], rows: dict[str, tuple[int, float, float]]
) -> float:
    if told.keys() != rows.keys() or any(told[name][0] != rows[name][0] for name in rows):
        return 1.0
    return max(
        abs(mine - exact) / exact
        for name in rows
        for mine, exact in zip(told[name][1:], rows[name][1:], strict=True)
    )
