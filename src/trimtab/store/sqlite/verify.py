"""Proves that the ledger is whole: every hash, every number, every pair."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from trimtab.errors import StoreError
from trimtab.store.chain import GENESIS, UNREADABLE, Kind, Record, decode_record, link
from trimtab.store.records import VerifyReport
from trimtab.store.sqlite.files import (
    control_db,
    day_db,
    days,
    explain,
    feedback_db,
    feedback_path,
    ledger_db,
    ledger_path,
    rollups_db,
    snapshot,
)
from trimtab.store.sqlite.registration import dead_writers
from trimtab.types.feedback import Feedback
from trimtab.types.records import Extension, Intent

__all__ = ["verify"]

_MOST_FINDINGS: Final = 100
_Check = Literal["quick_check", "integrity_check"]
_Fault = Literal["gaps", "doubles", "broken_links", "beyond_head", "damage"]


def _number(column: str) -> str:
    return f"ifnull(CAST({column} AS INTEGER), -1)"


def _bytes(column: str) -> str:
    return f"ifnull(CAST({column} AS BLOB), x'')"


# A flipped bit may turn any value into one of another type: what is read here is cast back.
_WRITERS: Final = (
    f"SELECT writer, {_bytes('first_prev_hash')}, {_number('head_seq')}, {_bytes('head_hash')} "  # noqa: S608 - our own names
    "FROM writers ORDER BY writer"
)
_ENTRIES: Final = (
    f"SELECT {_number('seq')}, {_bytes('kind')}, {_bytes('body')}, {_bytes('hash')} "  # noqa: S608
    "FROM entries WHERE writer = ? ORDER BY seq"
)
_CURSORS: Final = f"SELECT writer, {_number('seq')}, {_bytes('hash')} FROM cursors"  # noqa: S608


class _Writer(NamedTuple):
    writer: int
    first_prev_hash: bytes
    head_seq: int
    head_hash: bytes


class _Findings:
    """Counts by kind of fault, and the first hundred in words."""

    def __init__(self) -> None:
        self.counts: dict[_Fault, int] = dict.fromkeys(get_args(_Fault), 0)
        self.words: list[str] = []

    def add(self, kind: _Fault, words: str) -> None:
        self.counts[kind] += 1
        if len(self.words) < _MOST_FINDINGS:
            self.words.append(words)


class _Pairs:
    """Holds intents against settles."""

    def __init__(self, findings: _Findings) -> None:
        self.intents = 0
        self.settles = 0
        self.feedback = 0
        self.open: dict[tuple[str, int], tuple[int, int]] = {}
        self._findings = findings
        self._seen: set[int] = set()  # 64-bit hashes: of ten million attempts none will collide

    def take(self, writer: int, record: Record) -> None:
        """One record, in the order of its writer."""
        if isinstance(record, Intent):
            self.intents += 1
            attempt = (record.inference_id, record.attempt)
            if hash(attempt) in self._seen:
                self._double(f"Attempt {attempt[1]} of {attempt[0]} has a second intent.")
            self._seen.add(hash(attempt))
            self.open[attempt] = (writer, record.hold_nanousd)
            return
        if isinstance(record, Feedback):
            self.feedback += 1
            return
        attempt = (record.inference_id, record.attempt)
        if isinstance(record, Extension):
            if self.open.pop(attempt, None) is None:
                self._double(f"Attempt {attempt[1]} of {attempt[0]} is extended but not open.")
            else:
                self.open[attempt] = (writer, record.hold_nanousd)
            return
        self.settles += 1
        if self.open.pop(attempt, None) is None:
            which = "a second settle" if hash(attempt) in self._seen else "a settle but no intent"
            self._double(f"Attempt {attempt[1]} of {attempt[0]} has {which}.")

    def _double(self, words: str) -> None:
        self._findings.add("doubles", words)


class _Verification:
    """One pass over one snapshot of the ledger."""

    def __init__(self, findings: _Findings) -> None:
        self.findings = findings
        self.pairs = _Pairs(findings)
        self.entries = 0
        self.writers = 0

    def run(self, db: sqlite3.Connection, cursors: dict[int, tuple[int, bytes]]) -> None:
        """Check everything that `db` holds; `cursors` must be older than its snapshot."""
        before: set[bytes] = {GENESIS}
        for writer in self._known_writers(db):
            self.writers += 1
            if writer.first_prev_hash not in before:
                self._broken(f"Writer {writer.writer} is not chained to the one before it.")
            before = self._check_writer(db, writer, cursors.pop(writer.writer, (0, b"")))
        for number, (seq, _) in cursors.items():
            self.findings.add(
                "beyond_head",
                f"Writer {number} is missing; the projection has seen {seq} of its entries.",
            )
        strays = db.execute(
            "SELECT count(*) FROM entries WHERE writer NOT IN (SELECT writer FROM writers)"
        ).fetchone()[0]
        if strays:
            self._broken(f"{strays} entries belong to no known writer.")

    def _known_writers(self, db: sqlite3.Connection) -> list[_Writer]:
        rows = db.execute(_WRITERS)
        return list(map(_Writer._make, rows.fetchall()))

    def _check_writer(
        self, db: sqlite3.Connection, writer: _Writer, cursor: tuple[int, bytes]
    ) -> set[bytes]:
        """Follow the chain; returns the hashes that the next writer may be chained to."""
        number, previous, head_seq, head_hash = writer
        hashes = {previous}
        expected = 1
        for seq, kind, body, stored in _entries(db, number):
            self.entries += 1
            if seq != expected:
                self._gap(f"Writer {number} lacks its entries {expected} to {seq - 1}.")
            intact = link(previous, (number, seq), kind=kind, body=body) == stored
            if not intact:
                self._broken(f"Entry {seq} of writer {number} does not match its hash.")
            if seq == cursor[0] and stored != cursor[1]:
                self._beyond(number, seq)
            readable = self._pair(number, kind, body)
            if intact and not readable:
                self._broken(f"Entry {seq} of writer {number} cannot be read.")
            previous, expected = stored, seq + 1
            hashes.add(stored)
        if expected != head_seq + 1:
            self._gap(f"Writer {number} ends at entry {expected - 1}; its head is {head_seq}.")
        elif previous != head_hash:
            self._broken(f"The head of writer {number} does not match its last entry.")
        if cursor[0] >= expected:
            self._beyond(number, cursor[0])
        return hashes

    def _pair(self, writer: int, kind: Kind, body: bytes) -> bool:
        try:
            self.pairs.take(writer, decode_record(kind, body))
        except UNREADABLE:
            return False
        return True

    def _gap(self, words: str) -> None:
        self.findings.add("gaps", words)

    def _broken(self, words: str) -> None:
        self.findings.add("broken_links", words)

    def _beyond(self, writer: int, seq: int) -> None:
        self.findings.add(
            "beyond_head",
            f"The projection has seen entry {seq} of writer {writer}, which is not in the ledger "
            "any more: a tail was lost.",
        )


def verify(data_dir: Path) -> VerifyReport:
    """Recompute everything, also beside a running gateway. Never raises for a damaged file.

    Raises:
        StoreError: `data_dir` cannot be used as a folder.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(explain(error, ledger_path(data_dir))) from error
    findings = _Findings()
    verification = _Verification(findings)
    _check_other_files(data_dir, findings)
    dead: set[int] = set()
    try:
        cursors = _cursors(data_dir, findings)  # first, for they move on while we read
        with closing(ledger_db(data_dir)) as db:
            dead = dead_writers(db, data_dir)  # and before the snapshot has all that they wrote
            with snapshot(db):
                _check_file(db, "ledger.sqlite", findings, how="integrity_check")
                verification.run(db, cursors)
    except sqlite3.DatabaseError as error:
        findings.add("damage", explain(error, ledger_path(data_dir)))
    return _report(verification, dead)


def _report(verification: _Verification, dead: set[int]) -> VerifyReport:
    findings, pairs = verification.findings, verification.pairs
    unsettled = [hold for writer, hold in pairs.open.values() if writer in dead]
    return VerifyReport(
        entries=verification.entries,
        writers=verification.writers,
        intents=pairs.intents,
        settles=pairs.settles,
        feedback=pairs.feedback,
        unsettled=len(unsettled),
        unsettled_nanousd=sum(unsettled),
        in_flight=len(pairs.open) - len(unsettled),
        findings=tuple(findings.words),
        **findings.counts,
    )


def _entries(db: sqlite3.Connection, writer: int) -> Iterator[tuple[int, Kind, bytes, bytes]]:
    for seq, kind, body, stored in db.execute(_ENTRIES, (writer,)):
        yield seq, kind.decode(errors="replace"), body, stored


def _cursors(data_dir: Path, findings: _Findings) -> dict[int, tuple[int, bytes]]:
    try:
        with closing(rollups_db(data_dir)) as db:
            rows = db.execute(_CURSORS).fetchall()
    except sqlite3.DatabaseError as error:
        findings.add("damage", explain(error, data_dir / "rollups.sqlite"))
        return {}
    return {writer: (seq, entry_hash) for writer, seq, entry_hash in rows}


def _check_other_files(data_dir: Path, findings: _Findings) -> None:
    opened = {"rollups.sqlite": rollups_db, "control.sqlite": control_db}
    if feedback_path(data_dir).exists():  # else nobody has given any
        opened[feedback_path(data_dir).name] = feedback_db
    names = [*opened, *(f"events-{day}.sqlite" for day in days(data_dir))]
    for name in names:
        try:
            db = opened[name](data_dir) if name in opened else day_db(data_dir, name[7:-7])
            with closing(db):
                _check_file(db, name, findings, how="quick_check")
        except sqlite3.DatabaseError as error:
            findings.add("damage", explain(error, data_dir / name))


def _check_file(db: sqlite3.Connection, name: str, findings: _Findings, *, how: _Check) -> None:
    """The quick check does not hold indexes against their tables."""
    for (words,) in db.execute(f"PRAGMA {how}"):
        if words != "ok":
            findings.add("damage", f"{name}: {words}")
