"""Windows of time that budgets are for: intervals of UTC, begun by a clock on the wall. Pure.

A day begins at local midnight and ends at the next one, so a day on which the clocks change has 23
or 25 hours. Where midnight itself is skipped, the day begins at the moment of the change; where it
comes twice, at the first. An hour begins at a full hour of the wall clock, or at a change that is
not at one. So windows follow each other without a gap, and none overlaps another.
"""

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
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
    at_s = at_ns // NS_PER_S
    if length == "hour":
        begin_s, end_s = _hour_at(at_s, zone)
    else:
        day = _wall(at_s, zone).date()
        if at_s >= _begin_s(day + timedelta(days=1), zone):
            day += timedelta(days=1)  # an evening that comes again after its midnight
        first = _first_day(length, day)
        begin_s, end_s = _begin_s(first, zone), _begin_s(_next(length, first), zone)
    return Window(begin_s * NS_PER_S, end_s * NS_PER_S)


def _first_day(length: WindowLength, day: date) -> date:
    if length == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if length == "month" else day


def _next(length: WindowLength, first: date) -> date:
    if length == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if length == "week" else 1)


def _begin_s(day: date, zone: ZoneInfo) -> int:
    """UTC seconds of the first moment at which the clock on the wall has reached a day."""
    midnight = datetime.combine(day, time(), tzinfo=zone)
    begin_s, other_s = _utc_s(midnight), _utc_s(midnight.replace(fold=1))
    if begin_s <= other_s:
        return begin_s
    # The clock jumps over it, from before `other_s` read with the old offset to after `begin_s`.
    naive = midnight.replace(tzinfo=None)
    between = range(other_s, begin_s)
    return between.start + bisect_left(between, naive, key=lambda at_s: _wall(at_s, zone))


def _hour_at(at_s: int, zone: ZoneInfo) -> tuple[int, int]:
    offset_s = _offset_s(at_s, zone)
    begin_s = at_s - (at_s + offset_s) % _HOUR_S
    end_s = begin_s + _HOUR_S
    if _offset_s(begin_s, zone) != offset_s:
        since = range(begin_s, at_s)
        begin_s += bisect_left(since, True, key=lambda s: _offset_s(s, zone) == offset_s)  # noqa: FBT003 - a value to find
    if _offset_s(end_s - 1, zone) != offset_s:
        until = range(at_s, end_s)
        end_s = at_s + bisect_left(until, True, key=lambda s: _offset_s(s, zone) != offset_s)  # noqa: FBT003
    return begin_s, end_s


def _wall(at_s: int, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows."""
    return datetime.fromtimestamp(at_s, tz=zone).replace(tzinfo=None)


def _offset_s(at_s: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at_s, tz=zone).utcoffset() or timedelta()
    return round(offset.total_seconds())


def _utc_s(local: datetime) -> int:
    return round(local.astimezone(UTC).timestamp())
