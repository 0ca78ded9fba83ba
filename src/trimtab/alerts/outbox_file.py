"""`alerts.sqlite`: alerts by key, and how far each is on its way to each webhook.

Several processes may use it at once: a command puts an alert in, the gateway delivers it.
"""

import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from trimtab.alerts.records import Delivery, DeliveryState, Due, ToldAlert
from trimtab.errors import StoreError
from trimtab.types.alerts import Alert, AlertKind
from trimtab.types.clock import Clock
from trimtab.types.ids import IdSource

__all__ = ["NAME", "OutboxFile"]

NAME: Final = "alerts.sqlite"

_log = logging.getLogger("trimtab.alerts")

_VERSION: Final = 1
_BUSY_S: Final = 5.0
_DAMAGED: Final = frozenset(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
_TABLES: Final = """
CREATE TABLE alerts (
    number   INTEGER PRIMARY KEY,
    alert_id TEXT    NOT NULL UNIQUE,
    key      TEXT    NOT NULL UNIQUE,
    noted_ns INTEGER NOT NULL,
    alert    BLOB    NOT NULL
) STRICT;

CREATE TABLE deliveries (
    number      INTEGER NOT NULL,
    webhook     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    tries       INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    problem     TEXT    NOT NULL,
    next_try_ns INTEGER NOT NULL,
    ended_ns    INTEGER,
    PRIMARY KEY (number, webhook)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (webhook, state, next_try_ns);
"""
_DUE: Final = """
SELECT number, alert_id, alert, noted_ns, tries FROM deliveries JOIN alerts USING (number)
WHERE webhook = :webhook AND state = 'waiting' AND next_try_ns <= :now
ORDER BY next_try_ns, number LIMIT 1
"""
_NEWEST: Final = """
SELECT number, alert_id, noted_ns, alert FROM alerts ORDER BY number DESC LIMIT ?
"""
_DELIVERIES: Final = """
SELECT webhook, state, tries, status, problem, next_try_ns, ended_ns
FROM deliveries WHERE number = ? ORDER BY webhook
"""

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Alert).decode


class OutboxFile:
    """One connection, used by any thread, one at a time. Made at the first use.

    Args:
        data_dir: the project's data folder.
        clock: its wall time stamps alerts and tries.
    """

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self.path = data_dir / NAME
        self._clock = clock
        self._ids = IdSource(clock)
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def add(
        self, alerts: Iterable[Alert], webhooks_of: Callable[[AlertKind], Sequence[str]]
    ) -> list[ToldAlert]:
        """Keep alerts whose key is new, each to be delivered to the webhooks of its kind.

        When it returns they survive the end of this process, and a power cut.

        Returns:
            Those that are new.

        Raises:
            StoreError: it cannot be written.
        """
        now_ns = self._clock.wall_ns()
        with self._writing() as db:
            added = [self._add(db, alert, now_ns) for alert in alerts]
            told = [one for one in added if one is not None]
            db.executemany(
                "INSERT INTO deliveries SELECT number, ?, 'waiting', 0, 0, '', noted_ns, NULL "
                "FROM alerts WHERE alert_id = ?",
                [(name, one.alert_id) for one in told for name in webhooks_of(one.alert.kind)],
            )
        return told

    def _add(self, db: sqlite3.Connection, alert: Alert, now_ns: int) -> ToldAlert | None:
        told = ToldAlert(alert_id=self._ids.new("alert"), noted_ns=now_ns, alert=alert)
        row = (told.alert_id, alert.key, now_ns, _encode(alert))
        done = db.execute(
            "INSERT OR IGNORE INTO alerts (alert_id, key, noted_ns, alert) VALUES (?, ?, ?, ?)", row
        )
        return told if done.rowcount else None

    def due(self, webhook: str) -> Due | None:
        """The alert that has waited longest for `webhook`, if one is due.

        Raises:
            StoreError: it cannot be read.
        """
        if not self.path.exists():
            return None
        with self._using() as db:
            asked = {"webhook": webhook, "now": self._clock.wall_ns()}
            row = db.execute(_DUE, asked).fetchone()
        if row is None:
            return None
        number, alert_id, alert, noted_ns, tries = row
        return Due(
            number=number, alert_id=alert_id, alert=_decode(alert), noted_ns=noted_ns, tries=tries
        )

    def settle(self, number: int, delivery: Delivery) -> None:
        """Write down what came of a try. What is delivered stays so.

        Raises:
            StoreError: it cannot be written.
        """
        with self._writing() as db:
            db.execute(
                "UPDATE deliveries SET state = :state, tries = :tries, status = :status, "
                "problem = :problem, next_try_ns = :next_try_ns, ended_ns = :ended_ns "
                "WHERE number = :number AND webhook = :webhook "
                "AND state = 'waiting'",
                msgspec.structs.asdict(delivery) | {"number": number},
            )

    def give_up_overdue(self, noted_before_ns: int, reasons: dict[str, str]) -> list[AlertKind]:
        """Give up what waits for webhooks that cannot be told, since before a UTC time.

        Args:
            noted_before_ns: UTC nanoseconds.
            reasons: of each webhook of the project why nothing can be sent, or "".

        Returns:
            The kind of each.

        Raises:
            StoreError: it cannot be written.
        """
        with self._writing() as db:
            rows = db.execute(
                "SELECT number, webhook, alert FROM deliveries JOIN alerts USING (number) "
                "WHERE state = 'waiting' AND noted_ns < ?",
                (noted_before_ns,),
            ).fetchall()
            lost = [
                (number, webhook, alert, reason)
                for number, webhook, alert in rows
                if (reason := reasons.get(webhook, "the project has no webhook of this name"))
            ]
            db.executemany(
                "UPDATE deliveries SET state = 'given_up', problem = ?, ended_ns = ? "
                "WHERE number = ? AND webhook = ?",
                [(why, self._clock.wall_ns(), number, name) for number, name, _, why in lost],
            )
        return [_decode(alert).kind for _, _, alert, _ in lost]

    def forget_before(self, noted_ns: int) -> None:
        """Delete alerts that were taken before a UTC time; their keys count as new again.

        Raises:
            StoreError: it cannot be written.
        """
        with self._writing() as db:
            db.execute(
                "DELETE FROM deliveries WHERE number IN "
                "(SELECT number FROM alerts WHERE noted_ns < ?)",
                (noted_ns,),
            )
            db.execute("DELETE FROM alerts WHERE noted_ns < ?", (noted_ns,))

    def newest(self, most: int | None) -> list[ToldAlert]:
        """Alerts and what came of them, the newest first; None for all that are kept.

        Raises:
            StoreError: it cannot be read.
        """
        if not self.path.exists():
            return []
        with self._using() as db:
            found = db.execute(_NEWEST, (-1 if most is None else most,)).fetchall()
            return [
                ToldAlert(
                    alert_id=alert_id,
                    noted_ns=noted_ns,
                    alert=_decode(alert),
                    deliveries=tuple(map(_delivery, db.execute(_DELIVERIES, (number,)))),
                )
                for number, alert_id, noted_ns, alert in found
            ]

    def close(self) -> None:
        """Close it. It opens again if it is used again."""
        with self._lock:
            db, self._db = self._db, None
            if db is not None:
                db.close()

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with self._using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:  # SQLite has already undone it after some errors
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def _using(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._db is None:
                    self._db = self._open()
                yield self._db
            except (sqlite3.Error, OSError) as error:
                self._let_go(error)
                raise StoreError(
                    f"{self.path} cannot be used ({error}). "
                    "Check its folder, its owner and the free space of the disk."
                ) from error

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, _BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        if _version_of(db) == 0:
            _create(db, self.path.parent)
        if _version_of(db) > _VERSION:
            raise StoreError(f"{self.path} was made by a newer trimtab. Upgrade trimtab.")
        db.execute("PRAGMA synchronous=FULL")
        # The wall clock was set back since these were noted: they count as noted now, so that
        # they are delivered and forgotten in time.
        now = {"now": self._clock.wall_ns()}
        db.execute("UPDATE alerts SET noted_ns = :now WHERE noted_ns > :now", now)
        db.execute(
            "UPDATE deliveries SET next_try_ns = :now WHERE number IN "
            "(SELECT number FROM alerts WHERE noted_ns = :now) AND next_try_ns > :now",
            now,
        )

    def _let_go(self, error: Exception) -> None:
        """Close the file after `error`. A damaged one is put aside, and begun anew."""
        db, self._db = self._db, None
        with suppress(sqlite3.Error):
            if db is not None:
                db.close()
        name: str = getattr(error, "sqlite_errorname", "")
        if "_".join(name.split("_")[:2]) in _DAMAGED:
            aside = self.path.with_name(f"damaged-{NAME}")
            _log.error("%s is damaged (%s): it is now %s, and begun anew", self.path, error, aside)
            with suppress(OSError):
                self.path.replace(aside)
                for side in ("-wal", "-shm"):
                    self.path.with_name(NAME + side).unlink(missing_ok=True)


def _version_of(db: sqlite3.Connection) -> int:
    return db.execute("PRAGMA user_version").fetchone()[0]


def _create(db: sqlite3.Connection, folder: Path) -> None:
    """Fill an empty file, behind a lock: SQLite does not wait when the journal mode changes."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        if _version_of(db) == 0:
            db.execute("PRAGMA journal_mode=WAL")
            db.executescript(f"BEGIN;{_TABLES}PRAGMA user_version={_VERSION};COMMIT;")
    finally:
        os.close(fd)


def _delivery(row: tuple[str, DeliveryState, int, int, str, int, int | None]) -> Delivery:
    webhook, state, tries, status, problem, next_try_ns, ended_ns = row
    return Delivery(
        webhook=webhook,
        state=state,
        tries=tries,
        status=status,
        problem=problem,
        next_try_ns=next_try_ns,
        ended_ns=ended_ns,
    )
