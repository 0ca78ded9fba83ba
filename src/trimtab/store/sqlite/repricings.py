"""`RepricingStore` on SQLite: reads the ledger, writes a file of its own that only ever grows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from trimtab.errors import StoreError
from trimtab.store.chain import UNREADABLE, decode_record
from trimtab.store.repricing import RepricedRow, Repricing, SettledCall
from trimtab.store.sqlite.files import (
    exclusive,
    explain,
    ledger_db,
    ledger_path,
    repricings_db,
    repricings_path,
)
from trimtab.types.clock import Clock
from trimtab.types.feedback import Feedback
from trimtab.types.records import Intent, Settle

__all__ = ["SqliteRepricings", "open_repricings"]

_COLUMNS: Final = RepricedRow.__struct_fields__
_ROWS: Final = (
    f"SELECT {', '.join(_COLUMNS)} FROM repriced WHERE set_id = ? "  # noqa: S608 - our own names
    "ORDER BY day, model, charged_version, corrected_version"
)
_ADD_ROW: Final = f"INSERT INTO repriced VALUES (?, {', '.join('?' * len(_COLUMNS))})"  # noqa: S608


class SqliteRepricings:
    """See `trimtab.store.repricing.RepricingStore`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def settled(self, since_ns: int, until_ns: int) -> Iterator[SettledCall]:
        """See `RepricingStore.settled`. Entries that cannot be read are left to `verify`.

        Raises:
            StoreError: the ledger cannot be read.
        """
        try:
            with closing(ledger_db(self._data_dir)) as db:
                for (writer,) in db.execute("SELECT writer FROM writers").fetchall():
                    for call in _calls(db, writer):
                        if since_ns <= call.intent.started_ns < until_ns:
                            yield call
        except (sqlite3.Error, OSError) as error:
            raise StoreError(explain(error, ledger_path(self._data_dir))) from error

    def keep(self, repricing: Repricing) -> int:
        """See `RepricingStore.keep`.

        Raises:
            StoreError: the file cannot be written.
        """
        try:
            with closing(repricings_db(self._data_dir)) as db, exclusive(db):
                found = db.execute(
                    "SELECT created_ns FROM repricings WHERE set_id = ?", (repricing.set_id,)
                ).fetchone()
                if found is not None:
                    return found[0]
                db.execute(
                    "INSERT INTO repricings VALUES (?, ?, ?, ?)",
                    (
                        repricing.set_id,
                        repricing.created_ns,
                        repricing.since_ns,
                        repricing.until_ns,
                    ),
                )
                rows = ([getattr(row, name) for name in _COLUMNS] for row in repricing.rows)
                db.executemany(_ADD_ROW, [(repricing.set_id, *row) for row in rows])
        except (sqlite3.Error, OSError) as error:
            raise StoreError(explain(error, repricings_path(self._data_dir))) from error
        return repricing.created_ns

    def sets(self) -> list[Repricing]:
        """See `RepricingStore.sets`.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            with closing(repricings_db(self._data_dir)) as db:
                heads = db.execute(
                    "SELECT set_id, created_ns, since_ns, until_ns FROM repricings "
                    "ORDER BY created_ns, set_id"
                ).fetchall()
                return [
                    Repricing(
                        set_id=set_id,
                        created_ns=created_ns,
                        since_ns=since_ns,
                        until_ns=until_ns,
                        rows=tuple(
                            RepricedRow(**dict(zip(_COLUMNS, row, strict=True)))
                            for row in db.execute(_ROWS, (set_id,))
                        ),
                    )
                    for set_id, created_ns, since_ns, until_ns in heads
                ]
        except (sqlite3.Error, OSError) as error:
            raise StoreError(explain(error, repricings_path(self._data_dir))) from error


def _calls(db: sqlite3.Connection, writer: int) -> Iterator[SettledCall]:
    """The settled attempts of a writer. What one process begins, no other one ends."""
    begun: dict[tuple[str, int], Intent] = {}
    entries = db.execute("SELECT kind, body FROM entries WHERE writer = ? ORDER BY seq", (writer,))
    for kind, body in entries:
        try:
            record = decode_record(kind, body)
        except UNREADABLE:
            continue
        if isinstance(record, Feedback):
            continue
        attempt = (record.inference_id, record.attempt)
        if isinstance(record, Intent):
            begun[attempt] = record
        elif isinstance(record, Settle) and attempt in begun:
            yield SettledCall(begun.pop(attempt), record)


def open_repricings(data_dir: Path, clock: Clock) -> SqliteRepricings:
    """The corrections of `data_dir`."""
    del clock  # a set is dated by its maker; part of the signature of every store
    return SqliteRepricings(data_dir)
