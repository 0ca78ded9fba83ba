"""Which days a question about the bill is about: whole ones, wherever there are any."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from trimtab.errors import UsageError
from trimtab.insights.finance_days import day_edges_ns, day_of, midnight_ns
from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S

__all__ = ["Period", "before", "since", "until_today", "whole_days"]

_HOUR_NS = 3_600 * NS_PER_S


class Period(NamedTuple):
    """Days that follow each other.

    Attributes:
        days: the days, in the finance time zone.
        edges_ns: where they begin in UTC nanoseconds, and where the last one ends.
        shares: how much of each is in it: 1, or less for a day that is not over.
    """

    days: tuple[date, ...]
    edges_ns: tuple[int, ...]
    shares: tuple[Fraction, ...]

    @property
    def since_ns(self) -> int:
        """Its beginning."""
        return self.edges_ns[0]

    @property
    def until_ns(self) -> int:
        """Its end."""
        return self.edges_ns[-1]

    @property
    def length(self) -> Fraction:
        """In days."""
        return sum(self.shares, Fraction(0))

    def slice(self, first: int, last: int) -> "Period":
        """Its days from number `first` up to `last`, excluded."""
        return Period(
            self.days[first:last], self.edges_ns[first : last + 1], self.shares[first:last]
        )

    def by_day(self) -> Iterator[tuple[date, Fraction]]:
        """Each day with its share."""
        return zip(self.days, self.shares, strict=True)


def whole_days(first: date, last: date, zone: ZoneInfo) -> Period:
    """From the beginning of `first` to that of `last`."""
    days = tuple(first + timedelta(days=at) for at in range((last - first).days))
    return Period(days, tuple(day_edges_ns(first, last, zone)), (Fraction(1),) * len(days))


def since(reader: Reader, window_ns: int, *, now_ns: int, zone: ZoneInfo) -> Period:
    """The whole days of a window that ends now; today so far where there is nothing before it."""
    today = day_of(now_ns, zone)
    first = min(day_of(now_ns - window_ns, zone), today)
    days = whole_days(first, today, zone)
    if days.days and (_spent(reader, days) or not _spent(reader, _so_far(now_ns, zone))):
        return days
    return _so_far(now_ns, zone)


def until_today(first: date, last: date, *, now_ns: int, zone: ZoneInfo) -> Period:
    """The days from `first` up to `last`, excluded, that are over by now.

    Raises:
        UsageError: none is.
    """
    until = min(last, day_of(now_ns, zone))
    if until <= first:
        raise UsageError(
            f"No day from {first} on is over yet. Ask for an earlier time, or with --since 1d."
        )
    return whole_days(first, until, zone)


def before(period: Period, window_ns: int, zone: ZoneInfo) -> Period:
    """The whole days of a window that ends where a period begins; at least one."""
    last = period.days[0]
    first = min(day_of(period.since_ns - window_ns, zone), last - timedelta(days=1))
    return whole_days(first, last, zone)


def _so_far(now_ns: int, zone: ZoneInfo) -> Period:
    """Today up to the end of this hour."""
    today = day_of(now_ns, zone)
    begins, ends = midnight_ns(today, zone), midnight_ns(today + timedelta(days=1), zone)
    until_ns = min(now_ns + -now_ns % _HOUR_NS, ends)
    return Period((today,), (begins, until_ns), (Fraction(until_ns - begins, ends - begins),))


def _spent(reader: Reader, period: Period) -> bool:
    return any(fact.cost_nanousd for fact in reader.spend_facts((period.since_ns, period.until_ns)))
