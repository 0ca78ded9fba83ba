"""`Reader` on SQLite: percentiles and sums from rollups, single inferences from day files."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from operator import add
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from trimtab.errors import StoreError, UsageError
from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import Dimension, Event, EventField, GroupSummary, OpenIntent
from trimtab.store.sqlite.bodies import read_body
from trimtab.store.sqlite.files import day_db, day_of, days, explain, ledger_db, rollups_db
from trimtab.store.sqlite.fold import InferenceState
from trimtab.store.sqlite.projector import catch_up
from trimtab.store.sqlite.registration import dead_writers
from trimtab.store.sqlite.tiers import MAXIMA, MEASURES, SUMS, cover, finest_s
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["SqliteReader", "open_reader"]

_decode_state = msgspec.msgpack.Decoder(InferenceState).decode

_EVENT_COLUMNS: Final = Event.__struct_fields__
_EVENTS: Final = f"SELECT {', '.join(_EVENT_COLUMNS)} FROM events"  # noqa: S608 - our own names
_IN_SPAN: Final = "FROM rollups WHERE tier_s = ? AND dimension = ? AND start_s >= ? AND start_s < ?"
_ROLLUPS: Final = f"SELECT value, {', '.join((*SUMS, *MAXIMA, *MEASURES))} {_IN_SPAN}"
_SUMS_ONLY: Final = (
    f"SELECT value, {', '.join(f'sum({name})' for name in SUMS)}, "
    f"{', '.join(f'max({name})' for name in MAXIMA)} {_IN_SPAN} GROUP BY value"
)


class SqliteReader:
    """See `trimtab.store.protocol.Reader`. Holds nothing open, so any thread may ask."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        catch_up(data_dir)

    def usage_by(
        self, dimension: Dimension, since_ns: int, until_ns: int, *, histograms: bool = True
    ) -> list[GroupSummary]:
        """See `Reader.usage_by`. Ranges are widened to full rows of the finest tier."""
        catch_up(self._data_dir)
        step_ns = finest_s(dimension) * NS_PER_S
        since_ns -= since_ns % step_ns
        until_ns += -until_ns % step_ns
        groups: dict[str, _Group] = {}
        with closing(rollups_db(self._data_dir)) as db:
            for span in cover(dimension, since_ns // NS_PER_S, until_ns // NS_PER_S):
                where = (span.tier_s, dimension, span.since_s, span.until_s)
                for row in db.execute(_ROLLUPS if histograms else _SUMS_ONLY, where):
                    value = row[0]
                    if value not in groups:
                        groups[value] = _Group()
                    groups[value].add(row[1:])
        summaries = [group.summary(value, since_ns, until_ns) for value, group in groups.items()]
        return sorted(summaries, key=lambda s: (-s.cost_nanousd, -s.requests, s.value))

    def unsettled(self, since_ns: int, until_ns: int) -> list[OpenIntent]:
        """See `Reader.unsettled`. Oldest first."""
        # Asked first: all that a dead writer ever wrote is then in what is read next.
        with closing(ledger_db(self._data_dir)) as ledger:
            dead = dead_writers(ledger, self._data_dir)
        catch_up(self._data_dir)
        with closing(rollups_db(self._data_dir)) as db:
            rows = db.execute(
                "SELECT state FROM open_inferences WHERE started_ns >= ? AND started_ns < ? "
                "ORDER BY started_ns, inference_id",
                (since_ns, until_ns),
            ).fetchall()
        return [
            OpenIntent(intent=intent, writer=writer, in_flight=writer not in dead)
            for row in rows
            for writer, intent in _decode_state(row[0]).open.values()
        ]

    def events(
        self,
        since_ns: int,
        until_ns: int,
        limit: int,
        *,
        where: Mapping[EventField, str] | None = None,
    ) -> list[Event]:
        """See `Reader.events`.

        Raises:
            UsageError: `where` names something that cannot be asked for.
        """
        catch_up(self._data_dir)
        where = where or {}
        for field in where:
            if field not in get_args(EventField):
                raise UsageError(f"No filter {field!r}; use {', '.join(get_args(EventField))}.")
        conditions = "".join(f" AND {field} = ?" for field in where)
        sql = (
            f"{_EVENTS} WHERE started_ns >= ? AND started_ns < ?{conditions} "
            "ORDER BY started_ns DESC, inference_id DESC LIMIT ?"
        )
        found: list[Event] = []
        for db in self._day_files(day_of(since_ns), day_of(until_ns)):
            values = (since_ns, until_ns, *where.values(), limit - len(found))
            found.extend(map(_event, db.execute(sql, values)))
            if len(found) >= limit:
                break
        return found

    def event(self, inference_id: str) -> Event | None:
        """See `Reader.event`."""
        catch_up(self._data_dir)
        for db in self._day_files():
            row = db.execute(f"{_EVENTS} WHERE inference_id = ?", (inference_id,)).fetchone()
            if row is not None:
                return _event(row)
        return None

    def body(self, inference_id: str) -> tuple[bytes, bytes] | None:
        """See `Reader.body`."""
        return read_body(self._data_dir, inference_id)

    def _day_files(self, first: str = "", last: str = "9") -> Iterator[sqlite3.Connection]:
        """Newest first, each open until the next is asked for."""
        for day in days(self._data_dir):
            if first <= day <= last:
                with closing(day_db(self._data_dir, day)) as db:
                    yield db


class _Group:
    """Adds up the rows of one value."""

    def __init__(self) -> None:
        self._sums = [0] * len(SUMS)
        self._maxima = [0] * len(MAXIMA)
        self._measures = [LogHistogram() for _ in MEASURES]

    def add(self, row: tuple[Any, ...]) -> None:
        """One row: sums, maxima and, if they were asked for, measures, in their order."""
        self._sums = list(map(add, self._sums, row))
        self._maxima = list(map(max, self._maxima, row[len(SUMS) :]))
        blobs = row[len(SUMS) + len(MAXIMA) :]
        for histogram, blob in zip(self._measures, blobs, strict=False):
            histogram.merge(LogHistogram.from_bytes(blob))

    def summary(self, value: str, since_ns: int, until_ns: int) -> GroupSummary:
        """The group as an answer."""
        names = (*SUMS, *MAXIMA, *(f"{name}_histogram" for name in MEASURES))
        found = dict(zip(names, (*self._sums, *self._maxima, *self._measures), strict=True))
        return GroupSummary(value=value, since_ns=since_ns, until_ns=until_ns, **found)  # pyright: ignore[reportArgumentType] - the names are the fields, a test holds them together


def _event(row: tuple[Any, ...]) -> Event:
    # strict=False turns SQLite's 0 and 1 into booleans.
    return msgspec.convert(dict(zip(_EVENT_COLUMNS, row, strict=True)), Event, strict=False)


def open_reader(data_dir: Path, clock: Clock) -> SqliteReader:
    """A reader of `data_dir`, brought up to the ledger.

    Raises:
        StoreError: the files cannot be used.
    """
    del clock  # ranges are given by the caller; part of the signature of every store
    try:
        return SqliteReader(data_dir)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(explain(error, data_dir)) from error
