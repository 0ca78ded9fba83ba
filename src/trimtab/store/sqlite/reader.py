"""`Reader` on SQLite: percentiles and sums from rollups, single inferences from day files."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from operator import add
from pathlib import Path
from typing import Any, Final

import msgspec

from trimtab.errors import StoreError, UsageError
from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import (
    AttemptRecord,
    Dimension,
    Event,
    EventPage,
    EventQuery,
    GroupSummary,
    OpenIntent,
)
from trimtab.store.sqlite.bodies import read_body
from trimtab.store.sqlite.event_rows import (
    ROW_COLUMNS,
    attempt_of_row,
    event_of_row,
    open_attempt,
    settled_attempt,
)
from trimtab.store.sqlite.files import day_db, day_of, days, explain, ledger_db, rollups_db
from trimtab.store.sqlite.fold import InferenceState
from trimtab.store.sqlite.pages import read_page
from trimtab.store.sqlite.projector import catch_up
from trimtab.store.sqlite.registration import dead_writers
from trimtab.store.sqlite.tiers import MAXIMA, MEASURES, SUMS, cover, finest_s, tier_of_step
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["SqliteReader", "open_reader"]

_decode_state = msgspec.msgpack.Decoder(InferenceState).decode

_decode_attempt = msgspec.json.Decoder(AttemptRecord).decode

_ATTEMPTS: Final = ROW_COLUMNS.index("attempts")
_STARTED: Final = ROW_COLUMNS.index("started_ns")
_ONE: Final = f"SELECT {', '.join(ROW_COLUMNS)} FROM events WHERE inference_id = ?"  # noqa: S608 - our own names
_SEVERAL: Final = "SELECT record FROM attempts WHERE inference_id = ? ORDER BY attempt"
_STATE: Final = "SELECT state FROM open_inferences WHERE inference_id = ?"
_IN_SPAN: Final = "FROM rollups WHERE tier_s = ? AND dimension = ? AND start_s >= ? AND start_s < ?"
_ROLLUPS: Final = f"SELECT value, {', '.join((*SUMS, *MAXIMA, *MEASURES))} {_IN_SPAN}"
_SERIES: Final = (
    f"SELECT start_s, {', '.join((*SUMS, *MAXIMA, *MEASURES))} {_IN_SPAN} AND value = ?"
)
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
        self,
        dimension: Dimension,
        since_ns: int,
        until_ns: int,
        *,
        value: str | None = None,
        histograms: bool = True,
    ) -> list[GroupSummary]:
        """See `Reader.usage_by`. Ranges are widened to full rows of the finest tier."""
        catch_up(self._data_dir)
        step_ns = finest_s(dimension) * NS_PER_S
        since_ns -= since_ns % step_ns
        until_ns += -until_ns % step_ns
        groups: defaultdict[str, _Group] = defaultdict(_Group)
        with closing(rollups_db(self._data_dir)) as db:
            for span in cover(dimension, since_ns // NS_PER_S, until_ns // NS_PER_S):
                where = (span.tier_s, dimension, span.since_s, span.until_s)
                for row in db.execute(_ROLLUPS if histograms else _SUMS_ONLY, where):
                    if value is None or row[0] == value:
                        groups[row[0]].add(row[1:])
        summaries = [group.summary(name, since_ns, until_ns) for name, group in groups.items()]
        return sorted(summaries, key=lambda s: (-s.cost_nanousd, -s.requests, s.value))

    def usage_over_time(  # noqa: PLR0917 - what, and from when to when
        self, dimension: Dimension, value: str, since_ns: int, until_ns: int, *, step_s: int
    ) -> list[GroupSummary]:
        """See `Reader.usage_over_time`."""
        tier_s = tier_of_step(dimension, step_s) if step_s > 0 else None
        if tier_s is None:
            raise UsageError(
                f"Steps of {step_s} s cannot be shown by {dimension}. "
                f"Use a multiple of {finest_s(dimension)} s."
            )
        catch_up(self._data_dir)
        step_ns = step_s * NS_PER_S
        since_ns -= since_ns % step_ns
        until_ns += -until_ns % step_ns
        where = (tier_s, dimension, since_ns // NS_PER_S, until_ns // NS_PER_S, value)
        groups: defaultdict[int, _Group] = defaultdict(_Group)
        with closing(rollups_db(self._data_dir)) as db:
            for start_s, *row in db.execute(_SERIES, where):
                groups[start_s // step_s].add(tuple(row))
        return [
            group.summary(value, step * step_ns, (step + 1) * step_ns)
            for step, group in sorted(groups.items())
        ]

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

    def event_page(self, query: EventQuery) -> EventPage:
        """See `Reader.event_page`."""
        catch_up(self._data_dir)
        return read_page(self._data_dir, query)

    def event(self, inference_id: str) -> Event | None:
        """See `Reader.event`."""
        catch_up(self._data_dir)
        row = self._row(inference_id)
        return None if row is None else event_of_row(row)

    def attempts(self, inference_id: str) -> list[AttemptRecord]:
        """See `Reader.attempts`."""
        catch_up(self._data_dir)
        with closing(rollups_db(self._data_dir)) as db:
            found = db.execute(_STATE, (inference_id,)).fetchone()
        if found is not None:
            state = _decode_state(found[0])
            known = [settled_attempt(*attempt) for attempt in state.settled]
            known += [open_attempt(attempt.intent) for attempt in state.open.values()]
            return sorted(known, key=lambda attempt: attempt.attempt)
        row = self._row(inference_id)
        if row is None:
            return []
        if row[_ATTEMPTS] == 1:
            return [attempt_of_row(row)]
        with closing(day_db(self._data_dir, day_of(row[_STARTED]))) as db:
            records = db.execute(_SEVERAL, (inference_id,)).fetchall()
        return [_decode_attempt(record) for (record,) in records]

    def first_day(self) -> str | None:
        """See `Reader.first_day`."""
        return min(days(self._data_dir), default=None)

    def body(self, inference_id: str) -> tuple[bytes, bytes] | None:
        """See `Reader.body`."""
        return read_body(self._data_dir, inference_id)

    def _row(self, inference_id: str) -> tuple[Any, ...] | None:
        for day in days(self._data_dir):
            with closing(day_db(self._data_dir, day)) as db:
                row = db.execute(_ONE, (inference_id,)).fetchone()
            if row is not None:
                return row
        return None


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
