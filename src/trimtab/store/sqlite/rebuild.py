"""Throws away what is derived and derives it again from the ledger."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from trimtab.errors import LedgerDamaged, StoreError
from trimtab.store.records import RebuildReport
from trimtab.store.sqlite.files import (
    day_db,
    day_path,
    days,
    exclusive,
    explain,
    feedback_db,
    feedback_path,
    is_outdated,
    ledger_db,
    ledger_path,
    remove_db,
    rollups_db,
    rollups_path,
)
from trimtab.store.sqlite.projector import catch_up

__all__ = ["rebuild"]

_DERIVED = (
    "rollups", "tail", "ladder", "ladder_tail", "spend", "visits", "sessions", "spend_tail",
    "prompts", "prompt_tail", "days", "costs", "users", "open_inferences", "cursors",
)  # fmt: skip
_DAMAGED = frozenset(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def rebuild(data_dir: Path, *, force: bool = False) -> RebuildReport:
    """Make events, rollups and feedback anew; bodies and comments are kept.

    If interrupted, run it again.

    Days whose file was deleted come back, without bodies, as long as the ledger holds them. A
    derived file that is damaged, or was made by an older trimtab, is thrown away; with a day its
    bodies are lost, with feedback its comments.

    Args:
        data_dir: of the project.
        force: also where the ledger lacks entries that the projection has seen.

    Raises:
        LedgerDamaged: it lacks some, and rebuilding would erase what is known of them.
        StoreError: the ledger cannot be read, so there is nothing to derive from.
    """
    try:
        with closing(ledger_db(data_dir)) as ledger:
            heads: dict[int, int] = dict(ledger.execute("SELECT writer, head_seq FROM writers"))
        _drop_if_unusable(rollups_path(data_dir), lambda: rollups_db(data_dir))
        if feedback_path(data_dir).exists():
            _drop_if_unusable(feedback_path(data_dir), lambda: feedback_db(data_dir))
        for day in days(data_dir):
            _drop_if_unusable(day_path(data_dir, day), lambda day=day: day_db(data_dir, day))
        if not force:
            _check_nothing_is_erased(data_dir, heads)
        _empty(data_dir)
        entries = catch_up(data_dir)
        found = days(data_dir)
        events = sum(_count(data_dir, day) for day in found)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(explain(error, ledger_path(data_dir))) from error
    return RebuildReport(entries=entries, events=events, days=len(found))


def _drop_if_unusable(path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
    try:
        if is_outdated(path):
            remove_db(path)
        with closing(connect()) as db:
            words = db.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname not in _DAMAGED:
            raise
        words = str(error)
    if words != "ok":
        remove_db(path)


def _check_nothing_is_erased(data_dir: Path, heads: dict[int, int]) -> None:
    with closing(rollups_db(data_dir)) as rollups:
        seen = rollups.execute("SELECT writer, seq FROM cursors").fetchall()
    lacking = sum(1 for writer, seq in seen if seq > heads.get(writer, 0))
    if lacking:
        raise LedgerDamaged(
            f"The ledger lacks entries of {lacking} writers that events and rollups have seen. "
            "Rebuilding would erase what is known of them. Restore ledger.sqlite from a backup, "
            "or run again with --force."
        )


def _empty(data_dir: Path) -> None:
    with closing(rollups_db(data_dir)) as rollups, exclusive(rollups):
        for table in _DERIVED:
            rollups.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        # Inside the lock: no projector may write events that would then be deleted.
        for day in days(data_dir):
            with closing(day_db(data_dir, day)) as db:
                db.executescript("BEGIN; DELETE FROM events; DELETE FROM attempts; COMMIT;")
        if feedback_path(data_dir).exists():
            with closing(feedback_db(data_dir)) as db, exclusive(db):
                db.execute("DELETE FROM feedback")


def _count(data_dir: Path, day: str) -> int:
    with closing(day_db(data_dir, day)) as db:
        return db.execute("SELECT count(*) FROM events").fetchone()[0]
