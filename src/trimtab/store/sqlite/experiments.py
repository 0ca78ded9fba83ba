"""`Experiments` on SQLite: answers that were paid for, so every write is synced to the disk."""

import sqlite3
import threading
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from trimtab.errors import StoreError
from trimtab.store.sqlite.files import exclusive, experiments_db, experiments_path, explain
from trimtab.types.clock import Clock
from trimtab.types.experiments import Experiment, Mark, Row, RowHead

__all__ = ["SqliteExperiments", "open_experiments"]

_PAGE: Final = 500
_KEY: Final = "setup_hash = ? AND case_hash = ? AND repeat = ?"
_DROP_ERRORS: Final = f"DELETE FROM rows WHERE {_KEY} AND ok = 0"  # noqa: S608 - our own words, as below
_DROP_MARKS: Final = f"DELETE FROM marks WHERE {_KEY} AND served_model = ?"  # noqa: S608
_ANSWER: Final = f"SELECT at_ns, body FROM rows WHERE {_KEY} AND served_model = ? AND ok = 1"  # noqa: S608
_SEEN_AGAIN: Final = f"UPDATE rows SET at_ns = max(at_ns, ?) WHERE {_KEY} AND served_model = ?"  # noqa: S608
_ROWS: Final = (
    "SELECT case_hash, repeat, served_model, body FROM rows WHERE setup_hash = ?1 AND "  # noqa: S608
    "(case_hash, repeat, served_model) > (?2, ?3, ?4) "
    f"ORDER BY case_hash, repeat, served_model LIMIT {_PAGE}"
)
_MARKS: Final = (
    "SELECT case_hash, repeat, served_model, evaluator_hash, body FROM marks "  # noqa: S608
    "WHERE setup_hash = ?1 AND "
    "(case_hash, repeat, served_model, evaluator_hash) > (?2, ?3, ?4, ?5) "
    f"ORDER BY case_hash, repeat, served_model, evaluator_hash LIMIT {_PAGE}"
)

_encode = msgspec.msgpack.Encoder().encode
_decode_row = msgspec.msgpack.Decoder(Row).decode
_decode_mark = msgspec.msgpack.Decoder(Mark).decode
_decode_experiment = msgspec.msgpack.Decoder(Experiment).decode


class SqliteExperiments:
    """See `trimtab.store.protocol.Experiments`. The file is `experiments.sqlite`."""

    def __init__(self, data_dir: Path) -> None:
        self._path = experiments_path(data_dir)
        self._lock = threading.Lock()
        with self._explained():
            self._db = experiments_db(data_dir)
            self._db.execute("PRAGMA synchronous=FULL")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def keep(self, rows: Sequence[Row], marks: Sequence[Mark], *, since_ns: int = 0) -> list[Row]:
        """See `Experiments.keep`."""
        with self._explained(), self._lock, exclusive(self._db):
            kept = [self._keep_row(row, since_ns) for row in rows]
            self._db.executemany(
                "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?)",
                [(*_key(mark), mark.evaluator_hash, _encode(mark)) for mark in marks],
            )
        return kept

    def _keep_row(self, row: Row, since_ns: int) -> Row:
        key, answers = _key(row), row.status == "ok"
        found = self._db.execute(_ANSWER, key).fetchone()
        if found is not None and (found[0] >= since_ns or not answers):
            if answers:
                self._db.execute(_SEEN_AGAIN, (row.at_ns, *key))
            return _decode_row(found[1])
        if answers:
            self._db.execute(_DROP_ERRORS, key[:3])
            self._db.execute(_DROP_MARKS, key)
        self._db.execute(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*key, answers, row.at_ns, _encode(row)),
        )
        return row

    def row_heads(self, setup_hash: str) -> list[RowHead]:
        """See `Experiments.row_heads`."""
        with self._explained(), self._lock:
            found = self._db.execute(
                "SELECT case_hash, repeat, served_model, ok, at_ns FROM rows WHERE setup_hash = ?",
                (setup_hash,),
            ).fetchall()
        return [
            RowHead(case, repeat, served, bool(ok), at) for case, repeat, served, ok, at in found
        ]

    def rows(self, setup_hash: str) -> Iterator[Row]:
        """See `Experiments.rows`."""
        for page in self._pages(_ROWS, setup_hash):
            with self._explained():
                found = [_decode_row(one[-1]) for one in page]
            yield from found

    def marks(self, setup_hash: str, evaluator_hashes: Collection[str]) -> Iterator[Mark]:
        """See `Experiments.marks`."""
        wanted = set(evaluator_hashes)
        for page in self._pages(_MARKS, setup_hash, ""):
            with self._explained():
                found = [_decode_mark(one[-1]) for one in page if one[-2] in wanted]
            yield from found

    def _pages(self, question: str, setup_hash: str, *more: str) -> Iterator[list[Any]]:
        """All rows of a question that gives those after a key, which are its first columns."""
        after: tuple[Any, ...] = ("", -1, "", *more)
        while True:
            with self._explained(), self._lock:
                found = self._db.execute(question, (setup_hash, *after)).fetchall()
            yield found
            if len(found) < _PAGE:
                return
            after = found[-1][: len(after)]

    def keep_experiment(self, experiment: Experiment) -> None:
        """See `Experiments.keep_experiment`."""
        body = _encode(msgspec.structs.replace(experiment, summary=b""))
        with self._explained(), self._lock, exclusive(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO experiments VALUES (?, ?, ?, ?, ?)",
                (experiment.id, experiment.suite, experiment.started_ns, body, experiment.summary),
            )

    def experiments(self, most: int, *, suite: str | None = None) -> list[Experiment]:
        """See `Experiments.experiments`."""
        with self._explained(), self._lock:
            found = self._db.execute(
                "SELECT body FROM experiments WHERE ?1 IS NULL OR suite = ?1 "
                "ORDER BY started_ns DESC, id DESC LIMIT ?2",
                (suite, most),
            ).fetchall()
            return [_decode_experiment(body) for (body,) in found]

    def experiment(self, experiment_id: str) -> Experiment | None:
        """See `Experiments.experiment`."""
        with self._explained(), self._lock:
            found = self._db.execute(
                "SELECT body, summary FROM experiments WHERE id = ?", (experiment_id,)
            ).fetchone()
            if found is None:
                return None
            return msgspec.structs.replace(_decode_experiment(found[0]), summary=found[1])

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(explain(error, self._path)) from error
        except msgspec.DecodeError as error:
            raise StoreError(
                f"{self._path} cannot be read ({error}). It is damaged: restore it from a backup."
            ) from error


def _key(of: Row | Mark) -> tuple[str, str, int, str]:
    return (of.setup_hash, of.case_hash, of.repeat, of.served_model)


def open_experiments(data_dir: Path, clock: Clock) -> SqliteExperiments:
    """The experiments of `data_dir`."""
    del clock  # rows carry their own times; part of the signature of every store
    return SqliteExperiments(data_dir)
