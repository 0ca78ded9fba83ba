"""Lists of inferences, page by page, in three orders, each page within a limit of time.

An order is walked down in bands: a few thousand places of it are taken at a time, the rows among
them that match are fetched, and the clock is asked. So a list that finds nothing still knows how
far it has looked. In the order "newest" the days are walked one after the other; in the others all
days of the range together, because the costliest inference may be on any of them.
"""

import re
import sqlite3
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from typing_extensions import override

from trimtab.errors import UsageError
from trimtab.store.records import EventField, EventOrder, EventPage, EventQuery
from trimtab.store.sqlite.connections import Connections
from trimtab.store.sqlite.event_rows import EVENT_COLUMNS, event_of_row
from trimtab.store.sqlite.files import day_of, days

__all__ = ["read_page"]

_BUDGET_S: Final = 0.06
_BAND: Final = 2_000  # places of the order taken at a time, over all days of a group

_KEYS: Final[dict[EventOrder, str]] = {
    "newest": "started_ns",
    "costliest": "cost_nanousd",
    "slowest": "latency_us",
}
_ORDER_INDEXES: Final[dict[EventOrder, str]] = {
    "newest": "",  # the rows themselves lie in this order
    "costliest": "events_by_cost",
    "slowest": "events_by_latency",
}
_FEW: Final = 3_000
_MOST_DAYS: Final = 150  # each is three open files
_COUNT: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM events INDEXED BY events_by_{field} "
    "WHERE {field} = ? AND started_ns >= ? AND started_ns < ? LIMIT ?)"
)
_COLUMNS: Final = ", ".join(EVENT_COLUMNS)
_ID_AT: Final = EVENT_COLUMNS.index("inference_id")
_STARTED_AT: Final = EVENT_COLUMNS.index("started_ns")
_PLACE: Final = re.compile(r"([0-9]{1,19})\.([0-9]{1,19})\.(.*)", re.DOTALL)
_FIRST: Final = 1 << 62  # above every amount and every time


class _Place(NamedTuple):
    """A place in an order. Going down from it, the place itself is not met again."""

    key: int
    started_ns: int
    inference_id: str

    @override
    def __str__(self) -> str:
        return f"{self.key}.{self.started_ns}.{self.inference_id}"


class _Walk:
    """One page in the making."""

    def __init__(self, query: EventQuery) -> None:
        self.query = query
        self.key_at = EVENT_COLUMNS.index(_KEYS[query.order])
        self.place = _parse_place(query)
        self.rows: list[tuple[Any, ...]] = []
        self._until_s = time.monotonic() + _BUDGET_S
        key = _KEYS[query.order]
        if query.order == "newest":
            below = "(started_ns, inference_id) < (:started_ns, :inference_id)"
            order = "ORDER BY started_ns DESC"
            band = "started_ns < :started_ns"
        else:
            below = f"({key}, started_ns, inference_id) < (:key, :started_ns, :inference_id)"
            below += f" AND ({key}, started_ns) >= (:end_key, :end_ns)"
            order = f"ORDER BY {key} DESC, started_ns DESC"
            band = f"({key}, started_ns) < (:key, :started_ns)"
        matching = "".join(f" AND {field} = :{field}" for field in query.where)
        self._matching = (
            f"SELECT {_COLUMNS} FROM events {{indexed_by}} "  # noqa: S608 - our own names
            f"WHERE started_ns >= :since_ns AND started_ns < :until_ns AND {below}{matching} "
            f"{order}, inference_id DESC LIMIT :limit"
        )
        self._band_end = (
            f"SELECT {key}, started_ns FROM events "  # noqa: S608 - our own names
            f"WHERE {band} {order} LIMIT 1 OFFSET :band"
        )

    def go_down(self, group: list[sqlite3.Connection]) -> bool:
        """Walk through the days of a group together; False when the page is over before."""
        rare_by = self._rare_by(group)
        if rare_by:
            self.rows += self._matching_rows(group, None, indexed_by=rare_by)
            return len(self.rows) < self.query.limit
        by_order = [db for db in group if self._is_in_order(db)]
        # The day that is not over has no index for this order: it is looked through once.
        others = [db for db in group if db not in by_order]
        aside = self._matching_rows(others, None)
        indexed_by = _ORDER_INDEXES[self.query.order]
        while True:
            end = self._end_of_band(by_order)
            band = self._matching_rows(by_order, end, indexed_by=indexed_by)
            band += [row for row in aside if end is None or self._place_of(row)[:2] >= end]
            band.sort(key=self._place_of, reverse=True)
            self.rows += band[: self.query.limit - len(self.rows)]
            if len(self.rows) >= self.query.limit:
                return False
            if end is None:
                return True
            aside = [row for row in aside if self._place_of(row)[:2] < end]
            self.place = _Place(*end, "")
            if time.monotonic() >= self._until_s:
                return False

    def _rare_by(self, group: list[sqlite3.Connection]) -> str:
        """The index of a user or session whose rows are few enough to look at all of them."""
        where = self.query.where
        field = "session" if "session" in where else "user"
        index = f"events_by_{field}"
        if field not in where or not all(_has_index(db, index) for db in group):
            return ""
        room = _FEW
        for db in group:
            values = (where[field], self.query.since_ns, self.query.until_ns, room)
            room -= db.execute(_COUNT.format(field=field), values).fetchone()[0]
            if room <= 0:
                return ""
        return index

    def _is_in_order(self, db: sqlite3.Connection) -> bool:
        index = _ORDER_INDEXES[self.query.order]
        return not index or _has_index(db, index)

    def page(self, *, over: bool) -> EventPage:
        """What was found; `over` when nothing is left to look at."""
        events = [event_of_row(row) for row in self.rows]
        if over:
            return EventPage(events=events)
        if len(self.rows) >= self.query.limit:
            return EventPage(events=events, next=str(self._place_of(self.rows[-1])))
        newest = self.query.order == "newest"
        return EventPage(
            events=events,
            next=str(self.place),
            searched_to_ns=self.place.key if newest else self.query.since_ns,
            searched_to_amount=None if newest else self.place.key,
        )

    def _end_of_band(self, group: list[sqlite3.Connection]) -> tuple[int, int] | None:
        """Key and time of the last place of the next band; None when the rest fits into one."""
        if not group:
            return None
        values: dict[str, object] = {"band": max(_BAND // len(group), 20)}
        values |= self.place._asdict()
        ends = [db.execute(self._band_end, values).fetchone() for db in group]
        return max((end for end in ends if end is not None), default=None)

    def _matching_rows(
        self,
        group: list[sqlite3.Connection],
        end: tuple[int, int] | None,
        *,
        indexed_by: str = "",
    ) -> list[tuple[Any, ...]]:
        """What matches between here and `end`, in order; no more than there is room for."""
        query = self.query
        since_ns, until_ns = query.since_ns, query.until_ns
        if query.order == "newest":  # so that these bounds are as tight as those of the index
            since_ns = max(since_ns, end[1] if end else since_ns)
            until_ns = min(until_ns, self.place.started_ns + 1)
        room = query.limit - len(self.rows)
        values: dict[str, object] = {"since_ns": since_ns, "until_ns": until_ns, "limit": room}
        values |= self.place._asdict() | dict(query.where)
        values["end_key"], values["end_ns"] = end or (-1, -1)
        sql = self._matching.format(indexed_by=f"INDEXED BY {indexed_by}" if indexed_by else "")
        found = [row for db in group for row in db.execute(sql, values)]
        found.sort(key=self._place_of, reverse=True)
        return found[:room]

    def _place_of(self, row: tuple[Any, ...]) -> _Place:
        return _Place(row[self.key_at], row[_STARTED_AT], row[_ID_AT])


def read_page(data_dir: Path, files: Connections, query: EventQuery) -> EventPage:
    """See `Reader.event_page`.

    Raises:
        UsageError: the query names an unknown field or order, or a page that never was.
    """
    _check(query)
    walk = _Walk(query)
    first, last = day_of(query.since_ns), day_of(query.until_ns)
    found = [day for day in days(data_dir) if first <= day <= last]
    if query.order == "newest":
        # What comes after a place of this order cannot be on a later day.
        newest = day_of(min(walk.place.key, query.until_ns))
        groups: Iterable[list[str]] = ([day] for day in found if day <= newest)
    else:
        if len(found) > _MOST_DAYS:
            raise UsageError(
                f"A list by cost or latency goes through {_MOST_DAYS} days at most, and these are "
                f"{len(found)}. Ask for a shorter time."
            )
        groups = [found] if found else []
    for group in groups:
        with ExitStack() as stack:
            dbs = [stack.enter_context(files.day(day)) for day in group]
            if not walk.go_down(dbs):
                return walk.page(over=False)
    return walk.page(over=True)


def _has_index(db: sqlite3.Connection, name: str) -> bool:
    found = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?", (name,))
    return found.fetchone() is not None


def _check(query: EventQuery) -> None:
    for field in query.where:
        if field not in get_args(EventField):
            raise UsageError(f"No filter {field!r}; use {', '.join(get_args(EventField))}.")
    if query.order not in _KEYS:
        raise UsageError(f"No order {query.order!r}; use {', '.join(_KEYS)}.")
    if query.limit < 1:
        raise UsageError(f"A page of {query.limit} inferences is none; ask for 1 or more.")


def _parse_place(query: EventQuery) -> _Place:
    if not query.after:
        first = query.until_ns if query.order == "newest" else _FIRST
        return _Place(first, first, "")
    match = _PLACE.fullmatch(query.after)
    if match is None:
        raise UsageError(
            f"There is no page after {query.after!r}; use `next` of the page before, unchanged."
        )
    return _Place(min(int(match[1]), _FIRST), min(int(match[2]), _FIRST), match[3])
