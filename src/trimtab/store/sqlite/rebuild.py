"""Throws away what is derived and derives it again from the ledger."""

from contextlib import closing
from pathlib import Path

from trimtab.store.records import RebuildReport
from trimtab.store.sqlite.files import day_db, days, exclusive, rollups_db
from trimtab.store.sqlite.projector import catch_up

__all__ = ["rebuild"]


def rebuild(data_dir: Path) -> RebuildReport:
    """Make events and rollups anew; bodies are kept. If interrupted, run it again.

    Days whose file was deleted come back, without bodies, as long as the ledger holds them.
    """
    with closing(rollups_db(data_dir)) as rollups, exclusive(rollups):
        for table in ("rollups", "open_inferences", "cursors"):
            rollups.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        # Inside the lock: no projector may write events that would then be deleted.
        for day in days(data_dir):
            with closing(day_db(data_dir, day)) as db:
                db.execute("DELETE FROM events")
    entries = catch_up(data_dir)
    found = days(data_dir)
    return RebuildReport(
        entries=entries, events=sum(_count(data_dir, day) for day in found), days=len(found)
    )


def _count(data_dir: Path, day: str) -> int:
    with closing(day_db(data_dir, day)) as db:
        return db.execute("SELECT count(*) FROM events").fetchone()[0]
