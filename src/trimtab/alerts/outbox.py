"""Takes alerts from the event loop without blocking it, keeps them, logs them, has them told."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import msgspec

from trimtab.alerts.courier import Courier
from trimtab.alerts.outbox_file import OutboxFile
from trimtab.alerts.records import ToldAlert
from trimtab.alerts.schedule import SCHEDULE, Schedule
from trimtab.alerts.tally import AlertState, AlertTally
from trimtab.config.alerts import Alerts
from trimtab.errors import StoreError
from trimtab.types.alerts import Alert, AlertKind
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["KEPT_S", "Outbox", "put_aside"]

_log = logging.getLogger("trimtab.alerts")

KEPT_S: Final = 90 * 86_400
"""Seconds for which an alert is kept, and its key counts as told."""

_MOST_WAITING: Final = 1_000
_MOST_KEYS: Final = 10_000  # remembered, so that a key told a thousand times costs no disk
_CHORES_S: Final = 3_600.0
_PATIENCE_S: Final = 1.0  # at the end, for tries that are under way
_PAUSE_S: Final = 1.0  # before a disk that refused is tried again


class Outbox:
    """`put` is an `AlertSink`. All else is done by threads of its own.

    Args:
        data_dir: the project's data folder.
        clock: stamps alerts.
        settings: who is told, and what is logged.
        schedule: how patient deliveries are.
    """

    def __init__(
        self, data_dir: Path, clock: Clock, settings: Alerts, *, schedule: Schedule = SCHEDULE
    ) -> None:
        self._file = OutboxFile(data_dir, clock)
        self._clock = clock
        self._schedule = schedule
        self._settings = settings
        self._tally = AlertTally()
        self._known: dict[str, int] = {}  # key -> UTC ns at which it was put
        self._waiting = 0
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Alert | None] = SimpleQueue()
        self._closing = threading.Event()
        self._chores_at_s = clock.monotonic_s()
        self._troubled = False
        self._couriers: dict[str, Courier] = {}
        self._thread = threading.Thread(target=self._run, name="trimtab-alerts", daemon=True)
        self._thread.start()
        self.use(settings)

    def put(self, alert: Alert) -> None:
        """Take an alert, unless its key was told. Never blocks and never fails.

        It survives the end of the process from some milliseconds later on.
        """
        now_ns = self._clock.wall_ns()
        with self._lock:
            since_ns = self._known.get(alert.key)
            if since_ns is not None and now_ns - since_ns < KEPT_S * NS_PER_S:
                return
            dropped = self._waiting >= _MOST_WAITING
            if not dropped:
                self._waiting += 1
                self._known[alert.key] = now_ns
                if len(self._known) > _MOST_KEYS:
                    del self._known[next(iter(self._known))]
        if dropped:
            self._tally.add(alert.kind, "dropped")
            _log.error("too many alerts wait for the disk: one of kind %s is lost", alert.kind)
        else:
            self._queue.put(alert)

    def use(self, settings: Alerts) -> None:
        """Take up new settings; what waits goes to the new addresses. Never waits for a try."""
        self._settings = settings
        for name in self._couriers.keys() - settings.webhooks.keys():
            self._couriers.pop(name).stop()
        for name, webhook in settings.webhooks.items():
            courier = self._couriers.get(name)
            if courier is None:
                self._couriers[name] = Courier(
                    webhook, self._file, self._tally, clock=self._clock, schedule=self._schedule
                )
            else:
                courier.webhook = webhook
                courier.wake()

    def counts(self) -> dict[tuple[AlertKind, AlertState], int]:
        """How many went which way, since the start of the process."""
        return self._tally.read()

    def close(self) -> None:
        """Write what waits, then stop. What is not delivered is by the next process. Blocks."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()
        for courier in self._couriers.values():
            courier.stop()
        until_s = self._clock.monotonic_s() + _PATIENCE_S
        for courier in self._couriers.values():
            courier.join(max(0.0, until_s - self._clock.monotonic_s()))
        self._file.close()

    def _run(self) -> None:
        batch: list[Alert] = []
        while True:
            ended = self._take(batch)
            if batch and self._keep(batch):
                batch = []
            if ended:
                if batch:
                    _log.error("%d alerts could not be kept and are lost", len(batch))
                return
            self._do_chores()

    def _take(self, batch: list[Alert]) -> bool:
        """Wait for alerts, and add them to `batch`; true when there will be no more."""
        if batch:  # the disk refused them
            self._closing.wait(_PAUSE_S)
        wait_s = 0.0 if batch else self._chores_at_s - self._clock.monotonic_s()
        try:
            alert = self._queue.get(timeout=min(max(wait_s, 0.0), _CHORES_S))
            while alert is not None:
                if _is_sound(alert):
                    batch.append(alert)
                else:
                    self._refuse(alert)
                alert = self._queue.get_nowait()
        except Empty:
            return False
        return True

    def _refuse(self, alert: Alert) -> None:
        with self._lock:
            self._waiting -= 1
        self._tally.add(alert.kind, "dropped")
        _log.error("an alert of kind %s is lost: its facts are no JSON", alert.kind)

    def _keep(self, batch: list[Alert]) -> bool:
        """Write alerts down, log those that are new, and have them delivered."""
        settings = self._settings
        try:
            told = self._file.add(batch, lambda kind: _receivers_of(settings, kind))
        except StoreError as error:
            if not self._troubled:
                _log.error("alerts cannot be kept, and are not told: %s", error)
            self._troubled = True
            return False
        self._troubled = False
        with self._lock:
            self._waiting -= len(batch)
        for one in told:
            self._tally.add(one.alert.kind, "told")
            self._write_log(one, settings)
        for courier in list(self._couriers.values()):
            courier.wake()
        return True

    def _write_log(self, told: ToldAlert, settings: Alerts) -> None:
        """By default without the key and the facts, since they may name users."""
        kind, alert_id = told.alert.kind, told.alert_id
        if settings.log == "full":
            text = msgspec.json.encode(told.alert).decode()  # a line, whatever is in it
            _log.warning("%s (%s): %s", alert_id, kind, text)
        elif settings.log == "redacted":
            _log.warning("%s (%s): see `trimtab alerts list`", alert_id, kind)

    def _do_chores(self) -> None:
        if self._clock.monotonic_s() < self._chores_at_s:
            return
        self._chores_at_s = self._clock.monotonic_s() + _CHORES_S
        if not self._file.path.exists():
            return
        now_ns = self._clock.wall_ns()
        reasons = {name: one.problem for name, one in self._settings.webhooks.items()}
        overdue_ns = now_ns - round(self._schedule.within_s * NS_PER_S)
        try:
            self._file.forget_before(now_ns - KEPT_S * NS_PER_S)
            for kind in self._file.give_up_overdue(overdue_ns, reasons):
                self._tally.add(kind, "given_up")
        except StoreError as error:
            _log.warning("alerts: %s", error)


def _is_sound(alert: Alert) -> bool:
    """Whether it comes back from the disk as it is; half a surrogate and infinity do not."""
    try:
        return msgspec.json.decode(msgspec.json.encode(alert), type=Alert) == alert
    except (msgspec.MsgspecError, UnicodeError, TypeError, OverflowError):
        return False


def _receivers_of(settings: Alerts, kind: AlertKind) -> Sequence[str]:
    """The names of the webhooks that are told of alerts of a kind."""
    return [name for name, webhook in settings.webhooks.items() if webhook.wants(kind)]


def put_aside(alert: Alert, data_dir: Path, clock: Clock, *, settings: Alerts) -> None:
    """Keep an alert of a command on the disk, for the gateway to deliver. Blocks.

    Raises:
        StoreError: it cannot be written.
    """
    file = OutboxFile(data_dir, clock)
    try:
        file.add([alert], lambda kind: _receivers_of(settings, kind))
    finally:
        file.close()
