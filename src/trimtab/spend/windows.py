"""Windows of time that budgets are for: intervals of UTC, begun by a clock on the wall. Pure.

A day begins at local midnight and ends at the next one, so a day on which the clocks change has 23
or 25 hours. Where midnight itself is skipped, the day begins at the moment of the change; where it
comes twice, at the first.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from trimtab.config.money import WindowLength
from trimtab.types.clock import NS_PER_S

__all__ = ["ROLLING", "Rolling", "Window", "window_at"]

_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


class Window(NamedTuple):
    """UTC nanoseconds, the end excluded."""

    begin_ns: int
    end_ns: int


class Rolling(NamedTuple):
    """A window that ends now, in seconds.

    Attributes:
        length_s: how far it looks back.
        step_s: in which steps spending leaves it. Up to one step more than `length_s` counts, so
            that it never forgets anything too early.
    """

    length_s: int
    step_s: int


ROLLING: Final[dict[WindowLength, Rolling]] = {
    "hour": Rolling(_HOUR_S, 60),
    "day": Rolling(_DAY_S, _HOUR_S),
    "week": Rolling(7 * _DAY_S, _HOUR_S),
    "month": Rolling(30 * _DAY_S, _HOUR_S),
}


def window_at(length: WindowLength, at_ns: int, zone: ZoneInfo) -> Window:
    """The calendar window that `at_ns` (UTC) belongs to in `zone`. Weeks begin on Monday."""
    at = datetime.fromtimestamp(at_ns // NS_PER_S, tz=zone)
    if length == "hour":
        offset_s = round((at.utcoffset() or timedelta()).total_seconds())
        begin_s = at_ns // NS_PER_S - (at_ns // NS_PER_S + offset_s) % _HOUR_S
        return Window(begin_s * NS_PER_S, (begin_s + _HOUR_S) * NS_PER_S)
    first = datetime(at.year, at.month, at.day, tzinfo=zone)
    if length == "week":
        first -= timedelta(days=first.weekday())  # a wall clock's days, whatever their hours
    elif length == "month":
        first = first.replace(day=1)
    return Window(_ns(first), _ns(_next(length, first)))


def _next(length: WindowLength, first: datetime) -> datetime:
    if length == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if length == "week" else 1)


def _ns(local: datetime) -> int:
    """UTC nanoseconds of a full second."""
    return round(local.astimezone(UTC).timestamp()) * NS_PER_S
