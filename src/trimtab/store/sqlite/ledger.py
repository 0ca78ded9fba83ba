"""`Ledger` on SQLite: the face that the event loop sees of the threads that write."""

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Final

from trimtab.errors import LedgerUnavailable, Overloaded, ShuttingDown
from trimtab.store.chain import KINDS, Record, encode_record
from trimtab.store.receipt import Receipt
from trimtab.store.sqlite.bodies import BodyWriter
from trimtab.store.sqlite.files import explain, ledger_path
from trimtab.store.sqlite.projection_thread import ProjectionThread
from trimtab.store.sqlite.writer import LedgerWriter, Waiting
from trimtab.types.clock import Clock
from trimtab.types.feedback import Feedback
from trimtab.types.records import Extension, Intent, Settle

__all__ = ["SqliteLedger", "open_ledger"]

_log = logging.getLogger(__name__)

_MOST_WAITING: Final = 20_000
_CLOSE_PATIENCE_S: Final = 5.0


class SqliteLedger:
    """See `trimtab.store.protocol.Ledger`. All methods belong to the event loop's thread."""

    def __init__(self, data_dir: Path, clock: Clock, *, most_waiting: int = _MOST_WAITING) -> None:
        self._writer = LedgerWriter(data_dir, clock, asyncio.get_running_loop())
        self._projection = ProjectionThread(data_dir, lambda: self._writer.head.seq)
        self._bodies = BodyWriter(data_dir)
        self._most_waiting = most_waiting
        self._closed = False

    @property
    def writer(self) -> int:
        """The number of this process in the ledger."""
        return self._writer.writer

    @property
    def trouble(self) -> str | None:
        """See `Ledger.trouble`."""
        return self._writer.trouble

    @property
    def backlog(self) -> int:
        """See `Ledger.backlog`."""
        return self._writer.backlog()

    @property
    def dropped_bodies(self) -> int:
        """See `Ledger.dropped_bodies`."""
        return self._bodies.dropped

    def check_open(self) -> None:
        """See `Ledger.check_open`."""
        trouble = self._writer.trouble
        if trouble is not None:
            raise LedgerUnavailable(trouble)

    def record_intent(self, intent: Intent) -> Receipt:
        """See `Ledger.record_intent`.

        Raises:
            Overloaded: too much is waiting to be written.
            ShuttingDown: the ledger is closed.
        """
        if self._writer.backlog() >= self._most_waiting:
            raise self._overloaded()
        return self._record(intent)

    def record_extension(self, extension: Extension) -> None:
        """See `Ledger.record_extension`.

        Raises:
            ShuttingDown: the ledger is closed.
        """
        self._record(extension)

    def record_settle(self, settle: Settle) -> Receipt:
        """See `Ledger.record_settle`.

        Raises:
            ShuttingDown: the ledger is closed.
        """
        return self._record(settle)

    def record_feedback(self, feedback: Feedback) -> Receipt:
        """See `Ledger.record_feedback`.

        Raises:
            Overloaded: too much is waiting to be written.
            ShuttingDown: the ledger is closed.
        """
        if self._writer.backlog() >= self._most_waiting:
            raise self._overloaded()
        return self._record(feedback)

    def record_body(  # noqa: PLR0917 - what was asked, then what was answered
        self, inference_id: str, started_ns: int, request: bytes, response: bytes
    ) -> None:
        """See `Ledger.record_body`."""
        self._bodies.put(inference_id, started_ns, (request, response))

    async def close(self) -> None:
        """See `Ledger.close`. Settles are tried for five seconds more."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._writer.close, _CLOSE_PATIENCE_S)
        await asyncio.to_thread(self._bodies.close)
        await asyncio.to_thread(self._projection.close)

    def _overloaded(self) -> Overloaded:
        return Overloaded(
            f"{self._most_waiting} records wait for the ledger's disk. Send fewer requests "
            "at a time, or put the data directory on a faster disk."
        )

    def _record(self, record: Record) -> Receipt:
        if self._closed:
            raise ShuttingDown("The ledger is closed. Try again at another gateway.")
        writer = self._writer
        if not writer.alive:
            self.check_open()
        receipt = Receipt()
        # Encoded here, so that a record that cannot be encoded fails its own caller only.
        writer.put(Waiting(record, KINDS[type(record)], encode_record(record), receipt))
        return receipt


def open_ledger(data_dir: Path, clock: Clock) -> SqliteLedger:
    """Open the ledger in `data_dir` for writing, from inside the running event loop.

    Raises:
        LedgerUnavailable: it cannot be opened.
    """
    try:
        return SqliteLedger(data_dir, clock)
    except (sqlite3.Error, OSError) as error:
        raise LedgerUnavailable(explain(error, ledger_path(data_dir))) from error
