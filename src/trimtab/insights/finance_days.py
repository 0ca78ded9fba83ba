"""Days and months as the project's bookkeeping has them: in its own time zone."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from trimtab.errors import UsageError
from trimtab.types.clock import NS_PER_S

__all__ = ["day_edges_ns", "day_of", "midnight_ns", "month_days", "parse_months"]

_MONTHS: Final = re.compile(r"(\d{4})-(?:(\d{2})|Q([1-4]))")


def day_of(at_ns: int, zone: ZoneInfo) -> date:
    """The day of a UTC time in nanoseconds."""
    return datetime.fromtimestamp(at_ns // NS_PER_S, UTC).astimezone(zone).date()


def midnight_ns(day: date, zone: ZoneInfo) -> int:
    """When a day begins, in UTC nanoseconds."""
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int(begins.timestamp()) * NS_PER_S


def day_edges_ns(since: date, until: date, zone: ZoneInfo) -> Sequence[int]:
    """The midnights from the beginning of `since` to that of `until`, both included."""
    count = (until - since).days
    return [midnight_ns(since + timedelta(days=at), zone) for at in range(count + 1)]


def month_days(day: date) -> tuple[date, date]:
    """The first day of the month of `day`, and of the month after."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def parse_months(text: str) -> tuple[date, date]:
    """The first day of a month written `2026-10`, or quarter written `2026-Q4`, and of the next.

    Raises:
        UsageError: it is neither.
    """
    match = _MONTHS.fullmatch(text.strip())
    try:
        if match is not None:
            year, month, quarter = match.groups()
            first = date(int(year), 3 * int(quarter) - 2 if quarter else int(month), 1)
            return first, month_days(first + timedelta(days=62) if quarter else first)[1]
    except ValueError:
        pass
    raise UsageError(f"{text!r} is no month. Write it as in 2026-10, or a quarter as in 2026-Q4.")
