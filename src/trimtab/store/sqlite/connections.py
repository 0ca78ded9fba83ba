"""Connections kept between questions.

To open a file and read its schema takes longer than most answers, and to close the last connection
of a file syncs the disk.
"""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from trimtab.store.sqlite.files import (
    day_db,
    day_path,
    ledger_path,
    rollups_db,
    rollups_path,
    snapshot,
)
from trimtab.store.sqlite.projector import Projector

__all__ = ["Connections"]

_CACHE: Final = "PRAGMA cache_size=-8000"  # in kB: the rows of a month, read again and again
_MOST_IDLE: Final = 2  # of one file: so many threads may ask at once without opening anew


class _Idle(NamedTuple):
    inode: int
    db: sqlite3.Connection


class Connections:
    """A pool for any thread; each connection serves one question at a time.

    A file that was deleted and made anew since is noticed by its inode.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._idle: defaultdict[Path, list[_Idle]] = defaultdict(list)
        self._projecting = threading.Lock()
        self._projector: Projector | None = None
        self._projected: tuple[int, int] | None = None

    @contextmanager
    def rollups(self) -> Generator[sqlite3.Connection]:
        """The rollups as they are at one moment."""
        with self._borrowed(rollups_path(self._data_dir), _rollups_at) as db, snapshot(db):
            yield db

    @contextmanager
    def day(self, day: str) -> Generator[sqlite3.Connection]:
        """The file of a day such as `2026-11-23`."""
        path = day_path(self._data_dir, day)
        with self._borrowed(path, lambda path: day_db(path.parent, day)) as db:
            yield db

    def catch_up(self) -> None:
        """Bring events and rollups up to the ledger."""
        self._close_deleted()
        with self._projecting:
            files = (_inode(ledger_path(self._data_dir)), _inode(rollups_path(self._data_dir)))
            if self._projector is None or files != self._projected or 0 in files:
                self._drop_projector()
                self._projector = Projector(self._data_dir)
                self._projected = (
                    _inode(ledger_path(self._data_dir)),
                    _inode(rollups_path(self._data_dir)),
                )
            try:
                self._projector.catch_up()
            except BaseException:
                self._drop_projector()
                raise

    def close(self) -> None:
        """Close all of them."""
        with self._projecting, self._lock:
            self._drop_projector()
            while self._idle:
                for _, db in self._idle.popitem()[1]:
                    db.close()

    def _close_deleted(self) -> None:
        """Let go of files that retention has deleted, so that their room on the disk is free."""
        with self._lock:
            for path, idle in list(self._idle.items()):
                if idle and _inode(path) != idle[0].inode:
                    for _, db in self._idle.pop(path):
                        db.close()

    def _drop_projector(self) -> None:
        if self._projector is not None:
            self._projector.close()
        self._projector = None

    @contextmanager
    def _borrowed(
        self, path: Path, connect: Callable[[Path], sqlite3.Connection]
    ) -> Generator[sqlite3.Connection]:
        db = self._take(path) or connect(path)
        inode = _inode(path)
        try:
            yield db
        except BaseException:
            db.close()
            raise
        self._give_back(path, _Idle(inode, db))

    def _take(self, path: Path) -> sqlite3.Connection | None:
        inode = _inode(path)
        with self._lock:
            idle = self._idle[path]
            while idle:
                found = idle.pop()
                if found.inode == inode:
                    return found.db
                found.db.close()
        return None

    def _give_back(self, path: Path, idle: _Idle) -> None:
        with self._lock:
            if len(self._idle[path]) < _MOST_IDLE:
                self._idle[path].append(idle)
                return
        idle.db.close()


def _rollups_at(path: Path) -> sqlite3.Connection:
    db = rollups_db(path.parent)
    db.execute(_CACHE)
    return db


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
