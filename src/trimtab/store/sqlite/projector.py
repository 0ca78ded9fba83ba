"""Carries the ledger over into events and rollups, exactly once, from whichever process asks.

The lock on `rollups.sqlite` lets one projector work at a time, and its cursors move in the same
transaction as the rollups. Events are written before; if the process dies in between, the next
one writes the same rows again.
"""

import logging
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import msgspec

from trimtab.store.chain import UNREADABLE, decode_record
from trimtab.store.sqlite.bulk import BulkInsert
from trimtab.store.sqlite.day_files import DayFiles
from trimtab.store.sqlite.event_rows import (
    COMMON_COLUMNS,
    OWN_COLUMNS,
    TABLE_COLUMNS,
    WRITTEN_COLUMNS,
    settled_attempt,
)
from trimtab.store.sqlite.feedback_rows import FeedbackRows
from trimtab.store.sqlite.files import day_of, exclusive, ledger_db, rollups_db
from trimtab.store.sqlite.fold import Fold, InferenceState
from trimtab.store.sqlite.ladder_rows import add_ladder
from trimtab.store.sqlite.prompt_rows import add_prompts
from trimtab.store.sqlite.rollups import add_samples, prepare_rollups
from trimtab.store.sqlite.schema import DAY_INDEXES
from trimtab.store.sqlite.spend_rows import add_spend
from trimtab.store.sqlite.usual import Alike
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Extension, Intent, Settle

__all__ = ["Projector", "catch_up"]

_log = logging.getLogger(__name__)

_CHUNK: Final = 1_000  # entries: what they take in memory meanwhile, and how long the others wait

_BREATH: Final = 128  # entries after which the event loop may have the interpreter lock
_DAY_NS: Final = 86_400 * NS_PER_S

_encode_state = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(InferenceState).decode

_encode_attempt = msgspec.json.Encoder().encode

_ENTRIES: Final = (
    "SELECT seq, kind, body FROM entries WHERE writer = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_HASH: Final = "SELECT hash FROM entries WHERE writer = ? AND seq = ?"
_AT: Final = WRITTEN_COLUMNS.index("started_ns")
_ORDER: Final = tuple(WRITTEN_COLUMNS.index(name) for name in TABLE_COLUMNS)
_INTO: Final = f"INTO events ({', '.join(TABLE_COLUMNS)})"
_ADD_EVENTS: Final = BulkInsert(f"INSERT OR REPLACE {_INTO}", len(WRITTEN_COLUMNS), order=_ORDER)
# OR FAIL, because without it SQLite keeps a journal of each statement, to undo it alone; whatever
# fails here, the whole transaction is undone.
_ADD_ALIKE: Final = BulkInsert(
    f"INSERT OR FAIL {_INTO}",
    len(OWN_COLUMNS),
    "ON CONFLICT (started_ns, inference_id) DO NOTHING",  # written before, by one who then died
    shared=len(COMMON_COLUMNS),
    order=_ORDER,
)
_FEW: Final = 4  # so many rows that are alike are not worth a statement


class Projector:
    """Holds the connections, because closing the last one of a file syncs the disk."""

    def __init__(self, data_dir: Path) -> None:
        self._ledger = ledger_db(data_dir)
        self._rollups = rollups_db(data_dir)
        prepare_rollups(self._rollups)
        self._days = DayFiles(data_dir)
        self._feedback = FeedbackRows(data_dir)

    def catch_up(self) -> int:
        """Project everything that is in the ledger by now; returns the number of entries."""
        done = 0
        while taken := self.step():
            done += taken
        return done

    def step(self) -> int:
        """Project one chunk; returns the number of entries in it, 0 when there are none left."""
        if not self._behind():
            return 0
        with exclusive(self._rollups):
            fold = Fold(self._load)
            taken = self._take_entries(fold)
            usual = list(fold.usual.alike())
            self._write_events(fold, usual)
            self._feedback.add(fold.feedback)
            add_ladder(self._rollups, fold.ladder)  # these before the next line empties the tails
            for alike in usual:
                fold.spend.add(alike.hour_s, *alike.spend())
                fold.spend.add_visits(alike.visits())
                fold.samples += alike.samples()
            add_spend(self._rollups, fold.spend)
            add_prompts(self._rollups, fold.prompts)
            for day_s in add_samples(self._rollups, fold.samples):
                self._days.get(day_of(day_s * NS_PER_S)).executescript(DAY_INDEXES)
            self._write_states(fold)
        return taken

    def close(self) -> None:
        """Release the files."""
        self._ledger.close()
        self._rollups.close()
        self._days.close()
        self._feedback.close()

    def _behind(self) -> list[tuple[int, int]]:
        """Writers of which there is more than was projected, with their cursors."""
        cursors: dict[int, int] = dict(
            self._rollups.execute("SELECT writer, seq FROM cursors").fetchall()
        )
        heads = self._ledger.execute("SELECT writer, head_seq FROM writers ORDER BY writer")
        return [
            (writer, cursors.get(writer, 0))
            for writer, head_seq in heads.fetchall()
            if head_seq > cursors.get(writer, 0)
        ]

    def _take_entries(self, fold: Fold) -> int:
        """Fold the next chunk and move the cursors; returns the number of entries in it."""
        taken = 0
        for writer, cursor in self._behind():
            seq = cursor
            for seq, kind, body in self._ledger.execute(_ENTRIES, (writer, cursor, _CHUNK - taken)):
                taken += 1
                if taken % _BREATH == 0:
                    time.sleep(0)
                try:
                    record = decode_record(kind, body)
                except UNREADABLE as error:  # damaged: `verify` says so, the rest must go on
                    _say_unreadable(writer, seq, error)
                    continue
                if isinstance(record, Intent):
                    fold.take_intent(writer, record)
                elif isinstance(record, Settle):
                    fold.take_settle(record)
                elif isinstance(record, Extension):
                    fold.take_extension(record)
                else:
                    fold.take_feedback((writer, seq), record)
            self._move_cursor(writer, seq)
            if taken >= _CHUNK:
                break
        return taken

    def _move_cursor(self, writer: int, seq: int) -> None:
        found = self._ledger.execute(_HASH, (writer, seq)).fetchone()
        if found is not None:
            self._rollups.execute(
                "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", (writer, seq, *found)
            )

    def _load(self, inference_id: str) -> InferenceState | None:
        row = self._rollups.execute(
            "SELECT state FROM open_inferences WHERE inference_id = ?", (inference_id,)
        ).fetchone()
        return None if row is None else _decode_state(row[0])

    def _write_events(self, fold: Fold, usual: list[Alike]) -> None:
        days: defaultdict[int, list[Alike]] = defaultdict(list)
        events: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for alike in usual:
            day = alike.hour_s * NS_PER_S // _DAY_NS
            if len(alike.own) > _FEW:
                days[day].append(alike)
            else:
                events[day] += [(*alike.common, *own) for own in alike.own]
        for row in fold.rows.values():
            events[row[_AT] // _DAY_NS].append(row)
        attempts: defaultdict[int, list[tuple[str, int, str]]] = defaultdict(list)
        for inference_id, settled in fold.several.items():
            for intent, settle in settled:
                record = _encode_attempt(settled_attempt(intent, settle)).decode()
                place = intent.started_ns // _DAY_NS
                attempts[place].append((inference_id, intent.attempt, record))
        for day in days.keys() | events.keys():
            db = self._days.get(day_of(day * _DAY_NS))
            with exclusive(db):
                for alike in days[day]:
                    _ADD_ALIKE.run(db, alike.own, alike.common)
                _ADD_EVENTS.run(db, events[day])  # which may tell more of one of those
                db.executemany("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?)", attempts[day])

    def _write_states(self, fold: Fold) -> None:
        states = fold.states
        self._rollups.executemany(
            "DELETE FROM open_inferences WHERE inference_id = ?",
            [(inference_id,) for inference_id, state in states.items() if state is None],
        )
        self._rollups.executemany(
            "INSERT OR REPLACE INTO open_inferences VALUES (?, ?, ?)",
            [
                (inference_id, state.started_ns, _encode_state(state))
                for inference_id, state in states.items()
                if state is not None
            ],
        )


def catch_up(data_dir: Path) -> int:
    """Bring events and rollups up to the ledger; returns the number of entries projected."""
    projector = Projector(data_dir)
    try:
        return projector.catch_up()
    finally:
        projector.close()


def _say_unreadable(writer: int, seq: int, error: Exception) -> None:
    _log.error(
        "Entry %d of writer %d cannot be read (%s): not counted. Run `trimtab ledger verify`.",
        seq,
        writer,
        error,
    )
