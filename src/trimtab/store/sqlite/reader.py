"""`Reader` on SQLite: percentiles and sums from rollups, single inferences from day files."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from weakref import finalize

import msgspec

from trimtab.errors import StoreError, UsageError
from trimtab.store.breaker_file import read_breakers
from trimtab.store.feedback import FeedbackFacts, GivenFeedback
from trimtab.store.records import (
    AttemptRecord,
    Dimension,
    Event,
    EventPage,
    EventQuery,
    GroupSummary,
    LadderSummary,
    Measure,
    OpenIntent,
    PromptFacts,
    SpendFacts,
    Visits,
)
from trimtab.store.sqlite.bodies import read_body
from trimtab.store.sqlite.connections import Connections
from trimtab.store.sqlite.event_rows import (
    ROW_COLUMNS,
    attempt_of_row,
    event_of_row,
    open_attempt,
    settled_attempt,
)
from trimtab.store.sqlite.feedback_rows import read_feedback_facts, read_feedback_on
from trimtab.store.sqlite.files import day_of, days, explain, ledger_db
from trimtab.store.sqlite.fold import InferenceState
from trimtab.store.sqlite.kept import KeptTotals
from trimtab.store.sqlite.ladder_rows import read_ladder
from trimtab.store.sqlite.pages import read_page
from trimtab.store.sqlite.prompt_rows import read_prompts
from trimtab.store.sqlite.registration import dead_writers
from trimtab.store.sqlite.rollup_rows import RowQuery, add_rows
from trimtab.store.sqlite.rollups import Tail, closed_days
from trimtab.store.sqlite.samples import MEASURES, Total
from trimtab.store.sqlite.spend_rows import read_spend, read_visits
from trimtab.store.sqlite.tiers import (
    DAY_S,
    HOUR_S,
    MANY,
    Span,
    apart,
    cover,
    finest_s,
    start_of,
    tiers_of_step,
)
from trimtab.store.sqlite.user_costs import UserCosts
from trimtab.types.breakers import BreakerRecord
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["SqliteReader", "open_reader"]

_decode_state = msgspec.msgpack.Decoder(InferenceState).decode

_decode_attempt = msgspec.json.Decoder(AttemptRecord).decode

_STARTED: Final = ROW_COLUMNS.index("started_ns")
_ONE: Final = f"SELECT {', '.join(ROW_COLUMNS)} FROM events WHERE inference_id = ?"  # noqa: S608 - our own names
_SEVERAL: Final = "SELECT record FROM attempts WHERE inference_id = ? ORDER BY attempt"
_STATE: Final = "SELECT state FROM open_inferences WHERE inference_id = ?"


class SqliteReader:
    """See `trimtab.store.protocol.Reader`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._files = Connections(data_dir)
        self._tail = Tail()
        self._kept = KeptTotals()
        self._user_costs = UserCosts()
        finalize(self, self._files.close)
        self._files.catch_up()

    def usage_by(
        self,
        dimension: Dimension,
        since_ns: int,
        until_ns: int,
        *,
        values: Collection[str] | None = None,
        measures: Collection[Measure] = MEASURES,
    ) -> list[GroupSummary]:
        """See `Reader.usage_by`. Ranges are widened to full rows of the finest tier."""
        self._files.catch_up()
        span = _widened(finest_s(dimension), since_ns, until_ns)
        asked = RowQuery(dimension, None if values is None else sorted(set(values)), measures)
        with self._files.rollups() as db:
            closed = closed_days(db)
            parts = cover(dimension, span.since_s, span.until_s, closed=closed)
            totals = self._totals(db, asked, parts, closed=closed)
            recent = self._tail.read(db)
        for value, samples in recent.of(dimension, span, values):
            totals[value].add_samples(samples)
        span_ns = (span.since_s * NS_PER_S, span.until_s * NS_PER_S)
        found = [total.summary(value, span_ns, measures) for value, total in totals.items()]
        return sorted(found, key=lambda group: (-group.cost_nanousd, -group.requests, group.value))

    def usage_over_time(  # noqa: PLR0917 - what, and from when to when
        self,
        dimension: Dimension,
        value: str,
        since_ns: int,
        until_ns: int,
        *,
        step_s: int,
        measures: Collection[Measure] = MEASURES,
    ) -> list[GroupSummary]:
        """See `Reader.usage_over_time`."""
        tiers = tiers_of_step(dimension, step_s)
        if not tiers:
            raise UsageError(
                f"Steps of {step_s} s cannot be shown by {dimension}. "
                f"Use a multiple of {finest_s(dimension)} s."
            )
        self._files.catch_up()
        span = _widened(step_s, since_ns, until_ns)
        asked = RowQuery(dimension, [value], measures, step_s)
        with self._files.rollups() as db:
            closed = closed_days(db)
            parts = cover(dimension, span.since_s, span.until_s, closed=closed, tiers=tiers)
            totals = self._totals(db, asked, parts, closed=closed)
            recent = self._tail.read(db)
        for _, samples in recent.of(dimension, span, [value]):
            for sample in samples:
                totals[start_of(sample.started_s, step_s)].add_samples([sample])
        return [
            total.summary(value, (start_s * NS_PER_S, (start_s + step_s) * NS_PER_S), measures)
            for start_s, total in sorted(totals.items())
        ]

    def cost_per_user(self, since_ns: int, until_ns: int) -> dict[str, int]:
        """See `Reader.cost_per_user`."""
        self._files.catch_up()
        span = _widened(HOUR_S, since_ns, until_ns)
        with self._files.rollups() as db:
            closed = closed_days(db)
            parts = cover("user", span.since_s, span.until_s, closed=closed)
            costs = self._user_costs.read(db, parts, closed)
            recent = self._tail.read(db)
        for sample in recent.samples:
            if span.since_s <= sample.started_s < span.until_s:
                costs[sample.user] = costs.get(sample.user, 0) + sample.cost_nanousd
        return costs

    def ladders(self, since_ns: int, until_ns: int) -> list[LadderSummary]:
        """See `Reader.ladders`. Ranges are widened to full minutes."""
        self._files.catch_up()
        span = _widened(finest_s("route"), since_ns, until_ns)
        with self._files.rollups() as db:
            return read_ladder(db, cover("route", span.since_s, span.until_s, closed=()))

    def spend_facts(self, edges_ns: Sequence[int]) -> list[SpendFacts]:
        """See `Reader.spend_facts`."""
        self._files.catch_up()
        with self._files.rollups() as db:
            return read_spend(db, _hours(edges_ns))

    def visits(self, edges_ns: Sequence[int]) -> list[Visits]:
        """See `Reader.visits`."""
        self._files.catch_up()
        with self._files.rollups() as db:
            return read_visits(db, _hours(edges_ns))

    def prompt_facts(
        self, since_ns: int, until_ns: int, *, step_s: int = 0, prompt: str | None = None
    ) -> list[PromptFacts]:
        """See `Reader.prompt_facts`."""
        if step_s < 0 or step_s % HOUR_S:
            raise UsageError(
                f"Steps of {step_s} s cannot be shown by prompt. Use a multiple of {HOUR_S} s."
            )
        self._files.catch_up()
        span = _widened(step_s or HOUR_S, since_ns, until_ns)
        with self._files.rollups() as db:
            return read_prompts(db, (span.since_s, span.until_s), step_s=step_s, prompt=prompt)

    def unsettled(self, since_ns: int, until_ns: int) -> list[OpenIntent]:
        """See `Reader.unsettled`. Oldest first."""
        # Asked first: all that a dead writer ever wrote is then in what is read next.
        with closing(ledger_db(self._data_dir)) as ledger:
            dead = dead_writers(ledger, self._data_dir)
        self._files.catch_up()
        with self._files.rollups() as db:
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
        self._files.catch_up()
        return read_page(self._data_dir, self._files, query)

    def event(self, inference_id: str) -> Event | None:
        """See `Reader.event`."""
        self._files.catch_up()
        row = self._row(inference_id)
        return None if row is None else event_of_row(row)

    def attempts(self, inference_id: str) -> list[AttemptRecord]:
        """See `Reader.attempts`."""
        self._files.catch_up()
        with self._files.rollups() as db:
            found = db.execute(_STATE, (inference_id,)).fetchone()
        if found is not None:
            state = _decode_state(found[0])
            known = [settled_attempt(*attempt) for attempt in state.settled]
            known += [open_attempt(attempt.intent) for attempt in state.open.values()]
            return sorted(known, key=lambda attempt: attempt.attempt)
        row = self._row(inference_id)
        if row is None:
            return []
        with self._files.day(day_of(row[_STARTED])) as db:
            records = db.execute(_SEVERAL, (inference_id,)).fetchall()
        return [_decode_attempt(record) for (record,) in records] or [attempt_of_row(row)]

    def feedback_on(self, inference_id: str) -> list[GivenFeedback]:
        """See `Reader.feedback_on`."""
        self._files.catch_up()
        return read_feedback_on(self._data_dir, inference_id)

    def feedback_facts(
        self, since_ns: int, until_ns: int, *, step_s: int = 0, prompt: str | None = None
    ) -> list[FeedbackFacts]:
        """See `Reader.feedback_facts`."""
        self._files.catch_up()
        span_ns = (since_ns, until_ns)
        return read_feedback_facts(self._data_dir, span_ns, step_s=step_s, prompt=prompt)

    def breakers(self) -> list[BreakerRecord]:
        """See `Reader.breakers`."""
        records = read_breakers(self._data_dir)
        return [] if records is None else records.breakers

    def first_day(self) -> str | None:
        """See `Reader.first_day`."""
        return min(days(self._data_dir), default=None)

    def body(self, inference_id: str) -> tuple[bytes, bytes] | None:
        """See `Reader.body`."""
        return read_body(self._data_dir, inference_id)

    def _totals(
        self,
        db: sqlite3.Connection,
        asked: RowQuery,
        spans: Sequence[Span],
        *,
        closed: dict[int, int],
    ) -> defaultdict[Any, Total]:
        """What the rows of some spans come to; what is kept of whole closed days is not read."""
        totals: defaultdict[Any, Total] = defaultdict(Total)
        if asked.values is None and asked.dimension in MANY:  # so many that none could be kept
            add_rows(totals, db, asked, spans=spans)
            return totals
        whole, left = apart(spans, closed)
        days = tuple((part, closed[start_of(part.since_s, DAY_S)]) for part in whole)
        for key, kept in self._kept.of(db, asked, days).items():
            totals[key].add(kept)
        add_rows(totals, db, asked, spans=left)
        return totals

    def _row(self, inference_id: str) -> tuple[Any, ...] | None:
        for day in days(self._data_dir):
            with self._files.day(day) as db:
                row = db.execute(_ONE, (inference_id,)).fetchone()
            if row is not None:
                return row
        return None


def _hours(edges_ns: Sequence[int]) -> list[int]:
    """Edges in UTC seconds, moved back to full hours."""
    return [start_of(edge_ns // NS_PER_S, HOUR_S) for edge_ns in edges_ns]


def _widened(step_s: int, since_ns: int, until_ns: int) -> Span:
    """A range with its ends moved outwards to multiples of a step."""
    step_ns = step_s * NS_PER_S
    first, last = since_ns // step_ns, -(-until_ns // step_ns)
    return Span(step_s, first * step_s, last * step_s)


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
