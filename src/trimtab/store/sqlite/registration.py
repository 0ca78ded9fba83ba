"""A process that writes is a writer: it has a number, a row, and a lock for as long as it lives."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from trimtab.store.chain import GENESIS
from trimtab.store.sqlite.files import exclusive, lock_path

__all__ = ["Head", "Registration", "dead_writers", "register"]


class Head(NamedTuple):
    """The last entry of a writer: its number and its hash."""

    seq: int
    hash: bytes


class Registration(NamedTuple):
    """A new writer: its number, what its first entry is chained to, the lock it holds."""

    writer: int
    head: Head
    lock_fd: int


def register(db: sqlite3.Connection, data_dir: Path, started_ns: int) -> Registration:
    """Make this process the next writer, chained to the head of the one before."""
    with exclusive(db):
        row = db.execute(
            "SELECT writer, head_hash FROM writers ORDER BY writer DESC LIMIT 1"
        ).fetchone()
        newest, head_hash = row or (0, GENESIS)
        # A row may have been lost with the tail of the log: its number is never used again.
        writer = 1 + max(newest, *_locks(data_dir), 0)
        lock_fd = _lock(lock_path(data_dir, writer))
        db.execute(
            "INSERT INTO writers VALUES (?, ?, ?, ?, 0, ?, NULL)",
            (writer, os.getpid(), started_ns, head_hash, head_hash),
        )
    return Registration(writer, Head(0, head_hash), lock_fd)


def dead_writers(db: sqlite3.Connection, data_dir: Path) -> set[int]:
    """Writers whose process is gone, and with it its lock: SIGKILL releases it too."""
    rows = db.execute("SELECT writer, closed_ns FROM writers").fetchall()
    return {writer for writer, closed_ns in rows if closed_ns or not _is_alive(data_dir, writer)}


def _is_alive(data_dir: Path, writer: int) -> bool:
    try:
        fd = os.open(lock_path(data_dir, writer), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _locks(data_dir: Path) -> list[int]:
    return [int(path.stem) for path in (data_dir / "writers").glob("*.lock")]


def _lock(path: Path) -> int:
    path.parent.mkdir(exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd
