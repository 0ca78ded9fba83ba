"""Writes and reads `feedback.sqlite`: one row of each inference, metric and user; and comments.

Rows are written like events, before the cursors of the projection move: whoever dies in between
writes the same rows again.
"""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from trimtab.errors import StoreError
from trimtab.store.feedback import FeedbackFacts, GivenFeedback
from trimtab.store.sqlite.files import day_of, exclusive, explain, feedback_db, feedback_path
from trimtab.types.clock import NS_PER_S, Clock
from trimtab.types.feedback import Feedback

__all__ = [
    "FeedbackRows",
    "SqliteComments",
    "forget_comments",
    "open_comments",
    "read_feedback_facts",
    "read_feedback_on",
]

# Of two entries the later one counts; several writers may be read in any order.
_ADD: Final = """
INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (inference_id, metric, user) DO UPDATE SET
    given_ns = excluded.given_ns, writer = excluded.writer, seq = excluded.seq,
    value = excluded.value, bad = excluded.bad
WHERE (excluded.given_ns, excluded.writer, excluded.seq) > (given_ns, writer, seq)
"""
_ON: Final = """
SELECT metric, given_ns, value, bad, user, ifnull(comment, '')
FROM feedback LEFT JOIN comments USING (inference_id, metric, user)
WHERE inference_id = ? ORDER BY given_ns, writer, seq
"""
_FACTS: Final = """
SELECT CASE WHEN ?1 THEN given_ns / ?1 * ?1 ELSE ?2 END AS since_ns,
    prompt, version, hash, arm, model, metric, bad IS NOT NULL,
    count(*), total(bad), total(value), total(value * value)
FROM feedback
WHERE given_ns >= ?2 AND given_ns < ?3 AND (?4 IS NULL OR prompt = ?4)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_COMMENT: Final = "INSERT OR REPLACE INTO comments VALUES (?, ?, ?, ?, ?)"


class FeedbackRows:
    """The projector's hold on the file, which the first feedback makes."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._db: sqlite3.Connection | None = None
        self._inode = 0

    def add(self, given: Sequence[tuple[tuple[int, int], Feedback]]) -> None:
        """Write some, each with writer and number of its entry."""
        if not given:
            return
        path = feedback_path(self._data_dir)
        if self._db is None or not path.exists() or path.stat().st_ino != self._inode:
            self.close()  # it was deleted and made anew meanwhile
            self._db = feedback_db(self._data_dir)
            self._inode = path.stat().st_ino
        with exclusive(self._db):
            self._db.executemany(_ADD, [_row(place, feedback) for place, feedback in given])

    def close(self) -> None:
        """Release the file."""
        if self._db is not None:
            self._db.close()
        self._db = None


class SqliteComments:
    """See `trimtab.store.protocol.Comments`."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def keep(self, feedback: Feedback, comment: str) -> None:
        """See `Comments.keep`."""
        day = day_of(feedback.started_ns)
        row = (feedback.inference_id, feedback.metric, feedback.user, day, comment)
        with _opened(self._data_dir) as db:
            db.execute(_COMMENT, row)


def open_comments(data_dir: Path, clock: Clock) -> SqliteComments:
    """The comments of `data_dir`."""
    del clock  # they go with the day of their inference; part of the signature of every store
    return SqliteComments(data_dir)


def forget_comments(data_dir: Path, oldest: str) -> None:
    """Delete comments on inferences of UTC days before `oldest`, such as `2026-10-01`."""
    if feedback_path(data_dir).exists():
        with closing(feedback_db(data_dir)) as db:
            db.execute("DELETE FROM comments WHERE day < ?", (oldest,))


def read_feedback_on(data_dir: Path, inference_id: str) -> list[GivenFeedback]:
    """See `Reader.feedback_on`."""
    if not feedback_path(data_dir).exists():
        return []
    with _opened(data_dir) as db:
        rows = db.execute(_ON, (inference_id,)).fetchall()
    return [
        GivenFeedback(
            metric=metric,
            given_ns=given_ns,
            value=value if bad is None else bool(value),
            bad=None if bad is None else bool(bad),
            user=user,
            comment=comment,
        )
        for metric, given_ns, value, bad, user, comment in rows
    ]


def read_feedback_facts(
    data_dir: Path, span_ns: tuple[int, int], *, step_s: int, prompt: str | None
) -> list[FeedbackFacts]:
    """See `Reader.feedback_facts`."""
    if not feedback_path(data_dir).exists():
        return []
    since_ns, until_ns = span_ns
    step_ns = step_s * NS_PER_S
    with _opened(data_dir) as db:
        rows = db.execute(_FACTS, (step_ns, since_ns, until_ns, prompt)).fetchall()
    return [
        FeedbackFacts(
            since_ns=start_ns,
            until_ns=start_ns + step_ns if step_ns else until_ns,
            prompt=prompt_id,
            version=version,
            hash=version_hash,
            arm=arm,
            model=model,
            metric=metric,
            boolean=bool(boolean),
            count=count,
            bad=round(bad),
            total=total,
            squares=squares,
        )
        for (
            start_ns,
            prompt_id,
            version,
            version_hash,
            arm,
            model,
            metric,
            boolean,
            count,
            bad,
            total,
            squares,
        ) in rows
    ]


@contextmanager
def _opened(data_dir: Path) -> Generator[sqlite3.Connection]:
    try:
        with closing(feedback_db(data_dir)) as db:
            yield db
    except (sqlite3.Error, OSError) as error:
        raise StoreError(explain(error, feedback_path(data_dir))) from error


def _row(place: tuple[int, int], feedback: Feedback) -> tuple[object, ...]:
    use = feedback.prompt
    return (
        feedback.inference_id,
        feedback.metric,
        feedback.user,
        feedback.given_ns,
        *place,
        float(feedback.value),
        feedback.bad,
        *((use.id, use.version, use.hash, use.arm) if use is not None else ("",) * 4),
        feedback.model,
    )
