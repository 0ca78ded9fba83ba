"""Which files a data directory holds, and how each is opened."""

import fcntl
import os
import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trimtab.errors import StoreError
from trimtab.store.sqlite.schema import (
    CONTROL,
    CONTROL_VERSION,
    DAY,
    DERIVED_VERSION,
    EXPERIMENTS,
    FEEDBACK,
    LEDGER,
    REPRICINGS,
    ROLLUPS,
    VERSION,
)
from trimtab.types.clock import NS_PER_S

__all__ = [
    "control_db",
    "day_db",
    "day_of",
    "day_path",
    "days",
    "exclusive",
    "experiments_db",
    "experiments_path",
    "explain",
    "feedback_db",
    "feedback_path",
    "is_outdated",
    "ledger_db",
    "ledger_path",
    "lock_path",
    "remove_db",
    "repricings_db",
    "repricings_path",
    "rollups_db",
    "rollups_path",
    "snapshot",
    "sync_folder",
]

# The gateway would rather refuse a request than let it wait; nobody waits for the other files.
_LEDGER_BUSY_S: Final = 1.0
_BUSY_S: Final = 10.0
_DAY_FILE: Final = re.compile(r"events-(\d{4}-\d\d-\d\d)\.sqlite")

_REMEDIES: Final = {
    "SQLITE_BUSY": "Another process keeps it locked: find it with `fuser` and let it finish.",
    "SQLITE_FULL": "The disk is full: free some space.",
    "SQLITE_READONLY": "It may not be written: check the owner and mode of the file and folder.",
    "SQLITE_CANTOPEN": "It cannot be opened: check that the folder exists and may be written.",
    "SQLITE_CORRUPT": "It is damaged: restore it from a backup.",
    "SQLITE_NOTADB": "It is not a database: restore it from a backup.",
}
_DERIVED_REMEDIES: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_DISK: Final = "The disk refuses: check its free space, its quota and the system log."


def explain(error: Exception, path: Path) -> str:
    """What is wrong with the file at `path`, and what to do about it."""
    name: str = getattr(error, "sqlite_errorname", "")
    primary = "_".join(name.split("_")[:2])  # SQLITE_IOERR_WRITE is a kind of SQLITE_IOERR
    remedy = _REMEDIES.get(primary, _DISK)
    if isinstance(error, FileExistsError | NotADirectoryError):
        remedy = f"{path.parent} must be a folder: move away what stands in its place."
    elif primary in _DERIVED_REMEDIES and path.name.startswith(("rollups", "events-", "feedback")):
        remedy = "It is damaged; make it anew from the ledger with `trimtab ledger rebuild`."
    return f"{path} cannot be used ({error}). {remedy}"


def ledger_path(data_dir: Path) -> Path:
    """Where the ledger is."""
    return data_dir / "ledger.sqlite"


def lock_path(data_dir: Path, writer: int) -> Path:
    """The file that a writer keeps locked while it lives."""
    return data_dir / "writers" / f"{writer}.lock"


def ledger_db(data_dir: Path) -> sqlite3.Connection:
    """The ledger, made if it is not there."""
    return _connect(ledger_path(data_dir), LEDGER, busy_s=_LEDGER_BUSY_S)


def control_db(data_dir: Path) -> sqlite3.Connection:
    """Keys, made if not there."""
    return _connect(data_dir / "control.sqlite", CONTROL, CONTROL_VERSION)


def experiments_db(data_dir: Path) -> sqlite3.Connection:
    """Answers to cases and what evaluators say of them, made if not there."""
    return _connect(experiments_path(data_dir), EXPERIMENTS)


def experiments_path(data_dir: Path) -> Path:
    """Where experiments are."""
    return data_dir / "experiments.sqlite"


def repricings_db(data_dir: Path) -> sqlite3.Connection:
    """Corrections of history, made if not there."""
    return _connect(repricings_path(data_dir), REPRICINGS)


def repricings_path(data_dir: Path) -> Path:
    """Where corrections are."""
    return data_dir / "repricings.sqlite"


def rollups_db(data_dir: Path) -> sqlite3.Connection:
    """Rollups and the state of the projection, made if not there."""
    return _connect(rollups_path(data_dir), ROLLUPS, DERIVED_VERSION)


def rollups_path(data_dir: Path) -> Path:
    """Where the rollups are."""
    return data_dir / "rollups.sqlite"


def feedback_db(data_dir: Path) -> sqlite3.Connection:
    """Feedback and comments, made if not there."""
    return _connect(feedback_path(data_dir), FEEDBACK, DERIVED_VERSION)


def feedback_path(data_dir: Path) -> Path:
    """Where feedback is; the file is made by the first one that is given."""
    return data_dir / "feedback.sqlite"


def day_db(data_dir: Path, day: str) -> sqlite3.Connection:
    """Events and bodies of one UTC day, written `2026-11-23`, made if not there."""
    return _connect(day_path(data_dir, day), DAY, DERIVED_VERSION)


def day_path(data_dir: Path, day: str) -> Path:
    """Where the events of a day are."""
    return data_dir / f"events-{day}.sqlite"


def remove_db(path: Path) -> None:
    """Delete a database with its log, if it is there."""
    for side in ("", "-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make sure that files just made in `folder` are still in it after a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def day_of(started_ns: int) -> str:
    """The UTC day of a stamp."""
    return datetime.fromtimestamp(started_ns // NS_PER_S, UTC).date().isoformat()


def days(data_dir: Path) -> list[str]:
    """The days of which there are events, newest first."""
    found = (_DAY_FILE.fullmatch(path.name) for path in data_dir.glob("events-*.sqlite"))
    return sorted((match[1] for match in found if match), reverse=True)


@contextmanager
def exclusive(db: sqlite3.Connection) -> Generator[None]:
    """A transaction that no other process writes beside; undone if the body fails."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite has already undone it after some errors
            db.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(db: sqlite3.Connection) -> Generator[None]:
    """All reads inside see the file as it was at the first of them."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("ROLLBACK")


def is_outdated(path: Path) -> bool:
    """Whether a derived file was made by an older trimtab, whose tables are not read any more.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, _BUSY_S)) as db:
        return 0 < _version_of(db) < DERIVED_VERSION


def _connect(
    path: Path, ddl: str, version: int = VERSION, *, busy_s: float = _BUSY_S
) -> sqlite3.Connection:
    """Open `path`; connections may move between threads, one at a time.

    Raises:
        StoreError: the file was made by another version of trimtab.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, busy_s, isolation_level=None, check_same_thread=False)
    try:
        if _version_of(db) == 0:
            _create(db, path, ddl, version=version)
        _check_version(path, _version_of(db), version)
        db.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        db.close()
        raise
    return db


def _check_version(path: Path, found: int, wanted: int) -> None:
    if found > wanted:
        raise StoreError(f"{path} was made by a newer trimtab. Upgrade trimtab.")
    if found < wanted:
        raise StoreError(
            f"{path} was made by an older trimtab. Make it anew from the ledger with "
            "`trimtab ledger rebuild`; texts that were recorded in it are lost."
        )


def _version_of(db: sqlite3.Connection) -> int:
    return db.execute("PRAGMA user_version").fetchone()[0]


def _create(db: sqlite3.Connection, path: Path, ddl: str, *, version: int) -> None:
    """Fill an empty file.

    Behind a lock, because SQLite does not wait for its turn when the journal mode changes.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if _version_of(db) == 0:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(f"BEGIN;{ddl}PRAGMA user_version={version};COMMIT;")
    finally:
        os.close(folder)
