"""The one thread that writes the ledger: takes what waits, one transaction, one sync, tells."""

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import msgspec

from trimtab.errors import LedgerUnavailable
from trimtab.store.chain import Kind, Record, links
from trimtab.store.receipt import Receipt
from trimtab.store.sqlite.bulk import BulkInsert
from trimtab.store.sqlite.files import exclusive, explain, ledger_db, ledger_path, sync_folder
from trimtab.store.sqlite.registration import Head, register
from trimtab.types.clock import Clock
from trimtab.types.feedback import Feedback

__all__ = ["Attempt", "LedgerWriter", "Waiting"]

_log = logging.getLogger(__name__)

_BATCH: Final = 512
_CHECKPOINT_BYTES: Final = 4 << 20
_COMMIT_BYTES: Final = 3 * 4096  # pages that even the smallest transaction puts into the log
# A sync costs 0.1 ms of processor time, so under load a few more records are waited for. One
# request at a time never meets this: its batches are small.
_BUSY_BATCH: Final = 4
_GATHER_S: Final = 0.0005
_RETRY_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
_REMEMBERED: Final = 10_000
_LINGER_S: Final = 0.02  # how long settles wait for an intent that takes them to the disk with it

_ON_DISK: Final = frozenset(("intent", "signal"))  # who waits for these, waits for the disk

# OR FAIL, because without it SQLite keeps a journal of each statement, to undo it alone; whatever
# fails here, the whole transaction is undone.
_ADD_ENTRIES: Final = BulkInsert("INSERT OR FAIL INTO entries", 4, shared=1, fine=64)

_sync_file = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync

Attempt = tuple[str, int]
"""Inference and number of the attempt."""


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A record on its way into the ledger; `receipt` is None when nobody is told any more."""

    record: Record
    kind: Kind
    body: bytes
    receipt: Receipt | None

    @property
    def attempt(self) -> Attempt:
        """Which one it is about."""
        record = self.record
        number = 0 if isinstance(record, Feedback) else record.attempt
        return record.inference_id, number


class LedgerWriter:
    """Owns the connection to the ledger, the writer's number and its place in the chain.

    Attributes:
        trouble: why the last write failed, or None; read by the event loop's thread.
        head: the last entry that was appended.
        alive: the thread runs.
        put: queues a record.
        backlog: tells how many are queued.
    """

    def __init__(self, data_dir: Path, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self.trouble: str | None = None
        self.alive = True
        self._path = ledger_path(data_dir)
        self._clock = clock
        self._loop = loop
        self._db = ledger_db(data_dir)
        self._db.execute("PRAGMA wal_autocheckpoint=0")  # ours comes after the waiters are told
        self.writer, self.head, self._lock_fd = register(self._db, data_dir, clock.wall_ns())
        # SQLite takes no locks on this file, so that we may hold it open as well.
        self._wal_fd = os.open(f"{self._path}-wal", os.O_RDWR)
        sync_folder(data_dir)
        self._unchecked_bytes = 0
        self._unsynced = False
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self.put: Callable[[Waiting], None] = self._queue.put
        self.backlog: Callable[[], int] = self._queue.qsize
        self._pending: list[Waiting] = []
        self._refused: dict[Attempt, Waiting] = {}
        self._failures = 0
        self._busy = False
        self._give_up_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="trimtab-ledger", daemon=True)
        self._thread.start()

    def close(self, patience_s: float) -> None:
        """Write what waits, trying for `patience_s` at most, and release everything. Blocks."""
        self._give_up_s = self._clock.monotonic_s() + patience_s
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException:
            self._died()
            raise

    def _died(self) -> None:
        """A defect of ours, so nothing is known to be safe: nobody may wait for ever."""
        self.trouble = "The thread that writes the ledger died; see the log, restart the gateway."
        self.alive = False
        left = [*self._pending, *(self._queue.get() for _ in range(self._queue.qsize()))]
        self._tell((item.receipt for item in left if item is not None), self.trouble)

    def _serve(self) -> None:
        more = True
        while more:
            more = self._collect()
            self._write()
        while self._pending and self._clock.monotonic_s() < (self._give_up_s or 0):
            self._collect()
            self._write()
        self._release()

    def _collect(self) -> bool:
        """Wait for work, or while in trouble for the next try. False once told to stop."""
        try:
            self._take(self._queue.get(timeout=self._pause_s()))
            if self._busy:
                time.sleep(_GATHER_S)
            room = _BATCH - len(self._pending)
            get, append = self._queue.get_nowait, self._pending.append
            for _ in range(min(self._queue.qsize(), room)):
                waiting = get()
                if waiting is None or self._refused:  # hardly ever
                    self._take(waiting)
                else:
                    append(waiting)
        except Empty:
            pass
        return self._give_up_s is None or self._queue.qsize() > 0

    def _pause_s(self) -> float | None:
        if self.trouble is None:
            return _LINGER_S if self._unsynced else None
        return _RETRY_S[min(self._failures, len(_RETRY_S)) - 1]

    def _take(self, waiting: Waiting | None) -> None:
        if waiting is None:
            return
        if self._refused and waiting.kind != "intent":
            self._recall(waiting.attempt)
        self._pending.append(waiting)

    def _recall(self, attempt: Attempt) -> None:
        """A refused intent whose attempt was made all the same goes in before its settle."""
        intent = self._refused.pop(attempt, None)
        if intent is not None:
            self._pending.append(msgspec.structs.replace(intent, receipt=None))

    def _write(self) -> None:
        """Append all that is pending; while in trouble, even nothing: that is the probe."""
        if not self._pending and self.trouble is None:
            self._sync([])
            return
        try:
            self._append()
        except sqlite3.Error as error:
            self._refuse(explain(error, self._path))
            return
        written, self._pending = self._pending, []
        self._busy = len(written) >= _BUSY_BATCH
        self._unsynced = True
        awaited: list[Receipt | None] = []
        others: list[Receipt | None] = []
        for item in written:
            (awaited if item.kind in _ON_DISK else others).append(item.receipt)
        self._tell(others)
        if awaited or self.trouble is not None:
            self._sync(awaited)

    def _sync(self, awaited: list[Receipt | None]) -> None:
        """Force everything appended to the disk, and tell those who wait for that."""
        if not self._unsynced:
            return
        try:
            _sync_file(self._wal_fd)
        except OSError as error:
            self._fail(awaited, explain(error, self._path))
            return
        self._unsynced = False
        self._recovered()
        self._tell(awaited)
        self._checkpoint()

    def _append(self) -> None:
        """One transaction: the entries, and the head that says how many there must be."""
        writer, (seq, previous) = self.writer, self.head
        kinds: list[Kind] = [item.kind for item in self._pending]
        bodies = [item.body for item in self._pending]
        hashes = links(previous, (writer, seq + 1), zip(kinds, bodies, strict=True))
        head = Head(seq + len(hashes), hashes[-1] if hashes else previous)
        numbers = range(seq + 1, head.seq + 1)
        # Python's SQLite looks for an adapter of each `bytes`, which takes longer than the copy.
        blobs = map(bytearray, bodies), map(bytearray, hashes)
        rows = list(zip(numbers, kinds, *blobs, strict=True))
        with exclusive(self._db):
            _ADD_ENTRIES.run(self._db, rows, (writer,))
            self._db.execute(
                "UPDATE writers SET head_seq = ?, head_hash = ? WHERE writer = ?", (*head, writer)
            )
        self.head = head
        self._unchecked_bytes += _COMMIT_BYTES + sum(map(len, bodies))

    def _refuse(self, why: str) -> None:
        """Intents fail and are remembered, feedback fails; settles, and what they need, stay."""
        tried, self._pending = self._pending, []
        failed: list[Receipt | None] = []
        for item in tried:
            if item.kind == "signal":
                failed.append(item.receipt)
            elif item.kind == "intent" and item.receipt is not None:
                self._refused[item.attempt] = item
                failed.append(item.receipt)
            else:
                self._recall(item.attempt)
                self._pending.append(item)
        while len(self._refused) > _REMEMBERED:
            del self._refused[next(iter(self._refused))]
        self._fail(failed, why)

    def _fail(self, receipts: list[Receipt | None], why: str) -> None:
        if self.trouble is None:
            _log.error("The ledger cannot be written; requests are refused. %s", why)
        self._failures += 1
        self.trouble = why
        self._tell(receipts, why)

    def _recovered(self) -> None:
        if self.trouble is not None:
            _log.warning("The ledger can be written again, after %d tries.", self._failures)
        self._failures = 0
        self.trouble = None

    def _checkpoint(self) -> None:
        """Copy the log into the database now and then, when nobody waits for it."""
        if self._unchecked_bytes < _CHECKPOINT_BYTES:
            return
        self._unchecked_bytes = 0
        try:
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:  # the entries are safe in the log; the next one tries again
            _log.warning("Checkpoint of the ledger failed. %s", explain(error, self._path))

    def _tell(self, receipts: Iterable[Receipt | None], why: str | None = None) -> None:
        """Wake the event loop once for all of `receipts`."""
        awake = [receipt for receipt in receipts if receipt is not None]
        if not awake:
            return
        try:
            self._loop.call_soon_threadsafe(_tell, awake, why)
        except RuntimeError:  # the loop is closed: nobody waits any more
            _log.debug("%d who waited are gone with their event loop.", len(awake))

    def _release(self) -> None:
        if self._pending:
            settles = [item.receipt for item in self._pending if item.kind == "settle"]
            _log.critical(
                "%d settles could not be written and are lost; their intents stay unsettled. %s",
                len(settles),
                self.trouble,
            )
            self._tell(settles, self.trouble)
        try:
            self._db.execute(
                "UPDATE writers SET closed_ns = ? WHERE writer = ?",
                (self._clock.wall_ns(), self.writer),
            )
            self._db.close()
        except sqlite3.Error as error:
            _log.warning("The ledger was not closed in order. %s", explain(error, self._path))
        os.close(self._wal_fd)
        os.close(self._lock_fd)


def _tell(receipts: list[Receipt], why: str | None) -> None:
    """On the event loop's thread."""
    for receipt in receipts:
        try:  # an error of its own for each: whoever hears it may raise it, or write on it
            receipt.tell(None if why is None else LedgerUnavailable(why))
        except Exception:  # noqa: BLE001 - a defect of one must not keep the others waiting
            _log.exception("defect of one who heard from the ledger")
