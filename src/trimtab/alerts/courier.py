"""Delivers to one webhook, one alert at a time, in a thread of its own.

In order of their turn: an alert that failed waits for its next try, and others pass it meanwhile.
Of several processes one delivers: whoever has locked the file of the webhook. The lock ends with
the process, however it ends.
"""

import fcntl
import heapq
import logging
import os
import threading
from random import Random
from typing import Final

import msgspec

from trimtab.alerts.message import Message, body_of
from trimtab.alerts.outbox_file import OutboxFile
from trimtab.alerts.post import Answer, post
from trimtab.alerts.records import Delivery, Due
from trimtab.alerts.schedule import SCHEDULE, Schedule
from trimtab.alerts.tally import AlertTally
from trimtab.config.alerts import Webhook
from trimtab.errors import StoreError
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["Courier"]

_log = logging.getLogger("trimtab.alerts")

_LOOK_S: Final = 1.0  # for alerts of other processes, and for those whose wait is over


class Courier:
    """Begins at once, and ends after `stop`.

    Attributes:
        webhook: who is told; may be replaced by one of the same name at any time.

    Args:
        file: what is to be delivered.
        tally: counts tries and their ends.
        clock: stamps tries.
        schedule: how patient it is.
    """

    def __init__(
        self,
        webhook: Webhook,
        file: OutboxFile,
        tally: AlertTally,
        *,
        clock: Clock,
        schedule: Schedule = SCHEDULE,
    ) -> None:
        self.webhook = webhook
        self._file = file
        self._tally = tally
        self._clock = clock
        self._schedule = schedule
        self._random = Random(clock.wall_ns())  # noqa: S311 - spreads tries in time
        self._troubled = False
        self._turns: list[int] = []  # a heap of the next tries that this process knows of
        self._lock_fd: int | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trimtab-courier", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There may be something to deliver."""
        self._wake.set()

    def stop(self) -> None:
        """Make no further try."""
        self._stopping.set()
        self._wake.set()

    def join(self, patience_s: float) -> None:
        """Wait for the try that is under way, after `stop`.

        One that takes longer than `patience_s` is left alone: whoever delivers next makes it
        again, under the same id.
        """
        self._thread.join(patience_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._deliver_next():
                self._wake.wait(self._pause_s())
                self._wake.clear()
        if self._lock_fd is not None:
            os.close(self._lock_fd)

    def _is_mine(self) -> bool:
        """Whether no other process delivers to this webhook."""
        if self._lock_fd is not None:
            return True
        path = self._file.path.with_name(f"alerts-{self.webhook.name}.lock")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._lock_fd = fd
        return True

    def _pause_s(self) -> float:
        now_ns = self._clock.wall_ns()
        while self._turns and self._turns[0] <= now_ns:
            heapq.heappop(self._turns)
        return min([_LOOK_S, *((turn_ns - now_ns) / NS_PER_S for turn_ns in self._turns[:1])])

    def _deliver_next(self) -> bool:
        webhook = self.webhook
        if webhook.problem:
            return False
        try:
            due = self._file.due(webhook.name)
            self._troubled = False
            if due is None or not self._is_mine():
                return False
            due = self._file.due(webhook.name)  # as it is now that it is ours
        except (StoreError, OSError) as error:
            if not self._troubled:
                _log.warning("alerts wait: %s", error)
            self._troubled = True
            return False
        if due is None:
            return False
        answer = post(
            Message(due.alert_id, body_of(due.alert)), webhook, now_ns=self._clock.wall_ns()
        )
        self._settle(due, self._came_of(due, answer))
        return True

    def _came_of(self, due: Due, answer: Answer) -> Delivery:
        now_ns, tries = self._clock.wall_ns(), due.tries + 1
        delivery = Delivery(
            webhook=self.webhook.name,
            state="waiting",
            tries=tries,
            status=answer.status,
            problem=answer.problem,
            next_try_ns=now_ns,
            ended_ns=now_ns,
        )
        if answer.fate == "delivered":
            return msgspec.structs.replace(delivery, state="delivered")
        wait_s = self._schedule.wait_s(tries, self._random.uniform(0, 1), answer.retry_after_s)
        next_try_ns = now_ns + round(wait_s * NS_PER_S)
        last_try_ns = due.noted_ns + round(self._schedule.within_s * NS_PER_S)
        if answer.fate == "refused" or next_try_ns > last_try_ns:
            return msgspec.structs.replace(delivery, state="given_up")
        return msgspec.structs.replace(delivery, next_try_ns=next_try_ns, ended_ns=None)

    def _settle(self, due: Due, delivery: Delivery) -> None:
        """Write it down. As long as the disk refuses nothing else is sent: it might be twice."""
        _tell(due, delivery)
        if delivery.state == "waiting":
            heapq.heappush(self._turns, delivery.next_try_ns)
        kind = due.alert.kind
        self._tally.add(kind, "failed" if delivery.state == "waiting" else delivery.state)
        while True:
            try:
                self._file.settle(due.number, delivery)
            except StoreError as error:
                if not self._troubled:
                    _log.warning("alerts wait: %s", error)
                self._troubled = True
                if self._stopping.wait(_LOOK_S):
                    return
            else:
                self._troubled = False
                return


def _tell(due: Due, delivery: Delivery) -> None:
    if delivery.state == "delivered":
        _log.info("%s was delivered to webhook %s", due.alert_id, delivery.webhook)
    elif delivery.state == "given_up":
        words = (due.alert_id, delivery.webhook, delivery.tries, delivery.problem)
        _log.error("%s is given up for webhook %s after %d tries: %s", *words)
    elif delivery.tries == 1:
        words = (due.alert_id, delivery.webhook, delivery.problem)
        _log.warning("%s was not taken by webhook %s and will be tried again: %s", *words)
