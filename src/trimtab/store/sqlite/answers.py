"""The response cache on disk: read by whoever waits for it, written by a thread of its own."""

import logging
import sqlite3
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Final, NamedTuple

import msgspec

from trimtab.store.answers import CachedAnswer
from trimtab.store.sqlite.answers_file import AnswerRow, AnswersFile
from trimtab.types.clock import Clock

__all__ = ["SqliteAnswers", "open_answers"]

_log = logging.getLogger(__name__)

_MOST_WAITING_BYTES: Final = 16 << 20
_BATCH: Final = 64
_LEVEL: Final = 1  # what cannot be made smaller is stored as it is, with a checksum all the same
_PATIENCE_S: Final = 0.25  # a caller waits: rather ask the provider than wait for a slow disk

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CachedAnswer).decode


class _Waiting(NamedTuple):
    key: bytes
    answer: CachedAnswer


class SqliteAnswers:
    """See `trimtab.store.protocol.AnswerStore`. The file is `answers.sqlite`.

    Args:
        data_dir: the project's data folder.
        clock: tells stored answers that seem to come from the future.
        most_bytes: size above which the oldest answers go.
        most_waiting_bytes: bytes of answers that may wait to be written.
    """

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        *,
        most_bytes: int,
        most_waiting_bytes: int = _MOST_WAITING_BYTES,
    ) -> None:
        self.most_bytes = most_bytes
        self.dropped = 0
        self._file = AnswersFile(data_dir / "answers.sqlite", clock)
        self._most_waiting_bytes = most_waiting_bytes
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="trimtab-answers", daemon=True)
        self._thread.start()

    def stamps(self, most: int) -> list[tuple[bytes, int]]:
        """See `AnswerStore.stamps`."""
        try:
            with self._file.using() as db:
                newest = db.execute(
                    "SELECT key, created_ns FROM answers ORDER BY created_ns DESC LIMIT ?", (most,)
                ).fetchall()
        except (sqlite3.Error, OSError):
            return []  # it was logged
        return newest[::-1]

    def load(self, key: bytes) -> CachedAnswer | None:
        """See `AnswerStore.load`."""
        try:
            with self._file.using(_PATIENCE_S) as db:
                row = db.execute(
                    "SELECT created_ns, answer FROM answers WHERE key = ?", (key,)
                ).fetchone()
        except (sqlite3.Error, OSError):
            return None
        return None if row is None else _unpacked(row[1], row[0])

    def put(self, key: bytes, answer: CachedAnswer) -> bool:
        """See `AnswerStore.put`."""
        with self._lock:
            if self._waiting_bytes + len(answer.body) > self._most_waiting_bytes:
                self.dropped += 1
                return False
            self._waiting_bytes += len(answer.body)
        self._queue.put(_Waiting(key, answer))
        return True

    def forget_before(self, created_ns: int) -> None:
        """See `AnswerStore.forget_before`."""
        with suppress(sqlite3.Error, OSError):  # it was logged
            self._file.forget_before(created_ns)

    def close(self) -> None:
        """See `AnswerStore.close`."""
        self._queue.put(None)
        self._thread.join()
        self._file.close()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            # The last item may be the word to stop: it is left for the next round.
            while len(batch) < _BATCH and self._queue.qsize() > 1:
                waiting = self._queue.get()
                assert waiting is not None
                batch.append(waiting)
            self._store(batch)

    def _store(self, batch: list[_Waiting]) -> None:
        rows = [_packed(waiting) for waiting in batch]
        try:
            self._file.add(rows)
            self._file.shrink(self.most_bytes)
        except (sqlite3.Error, OSError):  # it was logged
            self.dropped += len(rows)
        with self._lock:
            self._waiting_bytes -= sum(len(waiting.answer.body) for waiting in batch)


def open_answers(data_dir: Path, clock: Clock, *, most_bytes: int) -> SqliteAnswers:
    """The answers kept in `data_dir`. Never fails: what is wrong is logged when it is noticed."""
    return SqliteAnswers(data_dir, clock, most_bytes=most_bytes)


def _packed(waiting: _Waiting) -> AnswerRow:
    packed = zlib.compress(_encode(waiting.answer), _LEVEL)
    return AnswerRow(waiting.key, waiting.answer.created_ns, packed)


def _unpacked(packed: bytes, created_ns: int) -> CachedAnswer | None:
    try:
        answer = _decode(zlib.decompress(packed))
    except (zlib.error, msgspec.DecodeError) as error:
        _log.warning("an answer of the response cache could not be read: %s", error)
        return None
    return msgspec.structs.replace(answer, created_ns=created_ns)
