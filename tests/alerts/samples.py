"""Alerts, outboxes, and what is in their file."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from trimtab.alerts.outbox import Outbox
from trimtab.alerts.outbox_file import OutboxFile
from trimtab.alerts.records import Delivery, ToldAlert
from trimtab.alerts.schedule import Schedule
from trimtab.config.alerts import Alerts, Webhook
from trimtab.types.alerts import Alert
from trimtab.types.clock import SystemClock

CLOCK = SystemClock()
QUICK = Schedule(first_s=0.01, most_s=0.05, within_s=3_600)
"""For tests in which tries fail."""


def alert(key: str = "budget/daily/ana/2026-10-01/0.8", **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "kind": "budget",
        "key": key,
        "at_ns": 1_790_812_800_123_456_789,
        "message": "ana has used 80 % of the daily budget.",
        "facts": {"user": "ana", "limit_nanousd": 5_000_000_000, "share": 0.8},
    }
    return Alert(**(values | changes))


def settings(*webhooks: Webhook, **changes: Any) -> Alerts:
    return Alerts(webhooks={one.name: one for one in webhooks}, **changes)


@contextmanager
def open_outbox(folder: Path, *webhooks: Webhook, **changes: Any) -> Generator[Outbox]:
    outbox = Outbox(folder, CLOCK, settings(*webhooks, **changes), schedule=QUICK)
    with closing(outbox):
        yield outbox


def told(folder: Path) -> list[ToldAlert]:
    """What is on the disk, the newest first."""
    with closing(OutboxFile(folder, CLOCK)) as file:
        return file.newest(None)


def deliveries(folder: Path) -> list[Delivery]:
    return [delivery for one in told(folder) for delivery in one.deliveries]


def states(folder: Path) -> list[str]:
    return [delivery.state for delivery in deliveries(folder)]
