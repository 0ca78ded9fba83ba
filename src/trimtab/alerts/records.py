"""What is kept of alerts and their deliveries."""

from typing import Literal

import msgspec

from trimtab.types.alerts import Alert

__all__ = ["Delivery", "DeliveryState", "Due", "ToldAlert"]

DeliveryState = Literal["waiting", "delivered", "given_up"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How far an alert is on its way to one webhook.

    Attributes:
        tries: requests that were made.
        status: HTTP status of the last answer; 0 where there was none.
        problem: what came between the last time, or "".
        next_try_ns: UTC nanoseconds, where it waits.
        ended_ns: UTC nanoseconds at which it was delivered or given up.
    """

    webhook: str
    state: DeliveryState
    tries: int
    status: int
    problem: str
    next_try_ns: int
    ended_ns: int | None


class ToldAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert, and who was told.

    Attributes:
        alert_id: what log lines and webhooks call it.
        noted_ns: UTC nanoseconds at which it was taken.
    """

    alert_id: str
    noted_ns: int
    alert: Alert
    deliveries: tuple[Delivery, ...] = ()


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that one webhook is to be told of now.

    Attributes:
        number: its row.
        tries: requests that were made before.
    """

    number: int
    alert_id: str
    alert: Alert
    noted_ns: int
    tries: int
