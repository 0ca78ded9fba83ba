"""What people are told of: one value for whoever notices something and whoever delivers it."""

from collections.abc import Callable
from typing import Literal

import msgspec

__all__ = ["Alert", "AlertKind", "AlertSink"]

AlertKind = Literal["budget", "outlier", "forecast", "reconcile", "canary", "drift"]


class Alert(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that somebody should know.

    Attributes:
        kind: what sort of thing it is; the project chooses by it where it goes.
        key: what it is about, in a stable form (`budget/daily/ana/2026-10-01/0.8`). Of alerts
            with one key only the first is delivered.
        at_ns: UTC nanoseconds at which it was noticed.
        message: one sentence for people, without any text of a user's.
        facts: the figures behind it, by name; amounts in nano-dollars.
    """

    kind: AlertKind
    key: str
    at_ns: int
    message: str
    facts: dict[str, str | int | float] = {}


AlertSink = Callable[[Alert], None]
"""Takes an alert and never blocks."""
