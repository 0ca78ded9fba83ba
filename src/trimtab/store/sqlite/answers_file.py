"""The file of the response cache: whatever is wrong with it, it is never worth a failure.

Nothing in it is missed when it is gone. So a file that is damaged, or is not ours, is deleted and
begun anew, and one that the disk refuses is tried again at the next use.
"""

import logging
import sqlite3
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from trimtab.store.sqlite.files import exclusive, explain, remove_db
from trimtab.store.sqlite.schema import ANSWERS, ANSWERS_VERSION
from trimtab.types.clock import Clock

__all__ = ["AnswerRow", "AnswersFile"]

_log = logging.getLogger(__name__)

_BUSY_S: Final = 1.0
# The third: a table or column is not there.
_WORTHLESS: Final = frozenset(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR"))
_DELETED_AT_ONCE: Final = 16  # few, because each may be as large as all others together


class AnswerRow(NamedTuple):
    """One answer as it is stored.

    Attributes:
        key: 32 bytes.
        created_ns: UTC nanoseconds of its making.
        packed: the answer, compressed.
    """

    key: bytes
    created_ns: int
    packed: bytes


class AnswersFile:
    """One connection, used by any thread, one at a time. Made at the first use.

    Args:
        path: of the file.
        clock: its wall time is compared with that of stored answers.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._complained = False

    @contextmanager
    def using(self, patience_s: float = -1.0) -> Generator[sqlite3.Connection]:
        """The connection, for as long as the block lasts.

        Whatever goes wrong in the block is logged here, once until it goes well again.

        Args:
            patience_s: seconds to wait for another thread; -1 waits for as long as it takes.

        Raises:
            TimeoutError: another thread took longer than that.
            OSError: the file cannot be used.
            sqlite3.Error: likewise.
        """
        if not self._lock.acquire(timeout=patience_s):
            raise TimeoutError("The file of the response cache is in use.")
        try:
            if self._db is None:
                self._db = self._open()
            yield self._db
            self._complained = False
        except (sqlite3.Error, OSError) as error:
            self._let_go(error)
            raise
        finally:
            self._lock.release()

    def add(self, rows: Iterable[AnswerRow]) -> None:
        """Write answers; of two with the same key the later one stays.

        Raises:
            OSError: the file cannot be used.
            sqlite3.Error: likewise.
        """
        with self.using() as db, exclusive(db):
            db.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)

    def shrink(self, most_bytes: int) -> None:
        """Delete the oldest answers until the others fit into `most_bytes`.

        The file itself does not shrink: its free pages are used for the next answers.

        Raises:
            OSError: the file cannot be used.
            sqlite3.Error: likewise.
        """
        while self._is_over(most_bytes):  # the lock is free in between, for those that read
            with self.using() as db, exclusive(db):
                deleted = db.execute(
                    "DELETE FROM answers WHERE key IN "
                    "(SELECT key FROM answers ORDER BY created_ns LIMIT ?)",
                    (_DELETED_AT_ONCE,),
                ).rowcount
            if not deleted:
                return

    def forget_before(self, created_ns: int) -> None:
        """Delete answers that were made before a UTC time in nanoseconds.

        Raises:
            OSError: the file cannot be used.
            sqlite3.Error: likewise.
        """
        deleted = _DELETED_AT_ONCE
        while deleted == _DELETED_AT_ONCE:
            with self.using() as db, exclusive(db):
                deleted = db.execute(
                    "DELETE FROM answers WHERE key IN "
                    "(SELECT key FROM answers WHERE created_ns < ? LIMIT ?)",
                    (created_ns, _DELETED_AT_ONCE),
                ).rowcount

    def close(self) -> None:
        """Close it. It opens again if it is used again."""
        with self._lock:
            db, self._db = self._db, None
            if db is not None:
                db.close()

    def _is_over(self, most_bytes: int) -> bool:
        with self.using() as db:
            # Both stand in the head of the file, so that this costs nothing however large it is.
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            free = db.execute("PRAGMA freelist_count").fetchone()[0]
            page_bytes = db.execute("PRAGMA page_size").fetchone()[0]
        return (pages - free) * page_bytes > most_bytes

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, _BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(
                f"BEGIN IMMEDIATE;{ANSWERS}PRAGMA user_version={ANSWERS_VERSION};COMMIT;"
            )
        elif version != ANSWERS_VERSION:
            raise _NotOursError(f"it was made by another program (version {version})")
        db.execute("PRAGMA synchronous=NORMAL")
        # The wall clock was set back since these were made. How old they are is not known: they
        # count as made now, and age from now on, not from each start anew.
        db.execute(
            "UPDATE answers SET created_ns = :now WHERE created_ns > :now",
            {"now": self._clock.wall_ns()},
        )

    def _let_go(self, error: Exception) -> None:
        """Close the file after `error`, so that the next use opens it or makes it anew."""
        db, self._db = self._db, None
        with suppress(sqlite3.Error):
            if db is not None:
                db.close()
        if _is_worthless(error):
            _log.warning("%s is thrown away and begun anew: %s", self._path, error)
            with suppress(OSError):
                remove_db(self._path)
        elif not self._complained:
            self._complained = True
            _log.warning(
                "the response cache goes on in memory only: %s", explain(error, self._path)
            )


class _NotOursError(sqlite3.DatabaseError):
    """A database, but not one of ours."""


def _is_worthless(error: Exception) -> bool:
    """Whether the file is damaged or not ours, rather than out of reach."""
    name: str = getattr(error, "sqlite_errorname", "")
    return isinstance(error, _NotOursError) or "_".join(name.split("_")[:2]) in _WORTHLESS
