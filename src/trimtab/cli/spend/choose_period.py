"""--since and --month -> days."""

from trimtab.insights.explain import Books
from trimtab.insights.finance_days import parse_months
from trimtab.insights.periods import Period, until_today
from trimtab.insights.periods import since as days_since
from trimtab.insights.window import parse_window_ns
from trimtab.types.clock import SystemClock

__all__ = ["choose_period"]


def choose_period(books: Books, since: str, month: str | None) -> Period:
    """The whole days of a month or quarter, or of a window that ends now.

    Raises:
        UsageError: neither can be read, or no day of the month is over.
    """
    now_ns = SystemClock.wall_ns()
    if month is not None:
        first, last = parse_months(month)
        return until_today(first, last, now_ns=now_ns, zone=books.zone)
    window_ns = parse_window_ns(since)
    return days_since(books.reader, window_ns, now_ns=now_ns, zone=books.zone)
