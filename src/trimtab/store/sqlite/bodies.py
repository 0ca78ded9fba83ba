"""What was said, kept as a best effort: compressed and written beside the hot path."""

import logging
import sqlite3
import threading
import zlib
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Final, NamedTuple

from trimtab.store.sqlite.day_files import DayFiles
from trimtab.store.sqlite.files import day_db, day_of, days, exclusive

__all__ = ["BodyWriter", "read_body"]

_log = logging.getLogger(__name__)

_MOST_BYTES: Final = 32 << 20
_BATCH: Final = 64
_LEVEL: Final = 1


class _Body(NamedTuple):
    inference_id: str
    day: str
    request: bytes
    response: bytes


class BodyWriter:
    """A thread that compresses and stores bodies; at most 32 MB wait for it.

    Attributes:
        dropped: bodies that found no room or could not be written.
    """

    def __init__(self, data_dir: Path, *, most_bytes: int = _MOST_BYTES) -> None:
        self.dropped = 0
        self._days = DayFiles(data_dir)
        self._most_bytes = most_bytes
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._queue: SimpleQueue[_Body | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="trimtab-bodies", daemon=True)
        self._thread.start()

    def put(self, inference_id: str, started_ns: int, bodies: tuple[bytes, bytes]) -> None:
        """Queue request and response, or count them as dropped."""
        request, response = bodies
        size = len(request) + len(response)
        with self._lock:
            if self._waiting_bytes + size > self._most_bytes:
                self.dropped += 1
                return
            self._waiting_bytes += size
        self._queue.put(_Body(inference_id, day_of(started_ns), request, response))

    def close(self) -> None:
        """Store what waits. Blocks."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            # The last item may be the word to stop: it is left for the next round.
            while len(batch) < _BATCH and self._queue.qsize() > 1:
                body = self._queue.get()
                assert body is not None
                batch.append(body)
            self._store(batch)
        self._days.close()

    def _store(self, batch: list[_Body]) -> None:
        for day in {body.day for body in batch}:
            rows = [
                (body.inference_id, _pack(body.request), _pack(body.response))
                for body in batch
                if body.day == day
            ]
            try:
                db = self._days.get(day)
                with exclusive(db):
                    db.executemany("INSERT OR REPLACE INTO bodies VALUES (?, ?, ?)", rows)
            except (sqlite3.Error, OSError) as error:
                _log.warning("%d bodies of %s were not kept: %s", len(rows), day, error)
                self.dropped += len(rows)
        with self._lock:
            self._waiting_bytes -= sum(len(b.request) + len(b.response) for b in batch)


def read_body(data_dir: Path, inference_id: str) -> tuple[bytes, bytes] | None:
    """Request and response of an inference, if they were kept."""
    for day in days(data_dir):
        with closing(day_db(data_dir, day)) as db:
            row = db.execute(
                "SELECT request, response FROM bodies WHERE inference_id = ?", (inference_id,)
            ).fetchone()
        if row is not None:
            return zlib.decompress(row[0]), zlib.decompress(row[1])
    return None


def _pack(data: bytes) -> bytes:
    return zlib.compress(data, _LEVEL)
