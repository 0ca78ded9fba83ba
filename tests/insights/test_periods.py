"""Days of the finance time zone, and which of them a question is about."""

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from store.samples import CLOCK, DAY_NS, NOON_NS, intent, pair, record
from trimtab.errors import UsageError
from trimtab.insights.finance_days import day_edges_ns, day_of, midnight_ns, parse_months
from trimtab.insights.periods import before, since, until_today, whole_days
from trimtab.store.sqlite import open_reader
from trimtab.types.clock import NS_PER_S

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
HOUR_NS = 3_600 * NS_PER_S
TODAY = date(2026, 11, 23)


def test_a_day_begins_at_local_midnight() -> None:
    begins = midnight_ns(date(2026, 7, 1), BERLIN)
    assert datetime.fromtimestamp(begins / NS_PER_S, UTC) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert day_of(begins, BERLIN) == date(2026, 7, 1)
    assert day_of(begins - 1, BERLIN) == date(2026, 6, 30)


@pytest.mark.parametrize(("day", "hours"), [("03-28", 24), ("03-29", 23), ("10-25", 25)])
def test_days_with_a_change_of_the_clocks(day: str, hours: int) -> None:
    first = date.fromisoformat(f"2026-{day}")
    begins, ends = day_edges_ns(first, first.replace(day=first.day + 1), BERLIN)
    assert ends - begins == hours * HOUR_NS


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-01", "2026-01-01", "2026-02-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        (" 2026-Q4 ", "2026-10-01", "2027-01-01"),
    ],
)
def test_months_and_quarters(text: str, first: str, after: str) -> None:
    assert parse_months(text) == (date.fromisoformat(first), date.fromisoformat(after))


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-Q5", "0000-01", "2026-1", "x"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(UsageError, match="as in 2026-10"):
        parse_months(text)


def test_a_month_ends_today_at_the_latest() -> None:
    first, last = parse_months("2026-11")
    found = until_today(first, last, now_ns=NOON_NS, zone=UTC_ZONE)
    assert (found.days[0], found.days[-1]) == (first, date(2026, 11, 22))
    assert found.length == 22
    with pytest.raises(UsageError, match="No day from 2026-12-01 on is over"):
        until_today(*parse_months("2026-12"), now_ns=NOON_NS, zone=UTC_ZONE)


def test_today_counts_only_where_there_is_nothing_else(tmp_path: Path) -> None:
    reader = open_reader(tmp_path, CLOCK)
    quiet = since(reader, 2 * DAY_NS, now_ns=NOON_NS + 1, zone=UTC_ZONE)
    assert quiet.days == (date(2026, 11, 21), date(2026, 11, 22))
    record(tmp_path, pair("inf_1"))
    first_day = since(reader, 2 * DAY_NS, now_ns=NOON_NS + 1, zone=UTC_ZONE)
    assert first_day.days == (TODAY,)
    assert first_day.until_ns - NOON_NS == HOUR_NS
    assert first_day.shares == (Fraction(13, 24),)
    assert since(reader, HOUR_NS, now_ns=NOON_NS + 1, zone=UTC_ZONE) == first_day
    record(tmp_path, [intent("inf_2", started_ns=NOON_NS - DAY_NS), pair("inf_2")[1]])
    later = since(reader, 2 * DAY_NS, now_ns=NOON_NS + 1, zone=UTC_ZONE)
    assert later.days == quiet.days


def test_the_time_before() -> None:
    period = whole_days(TODAY, date(2026, 11, 25), UTC_ZONE)
    assert before(period, 3 * DAY_NS, UTC_ZONE).days[0] == date(2026, 11, 20)
    assert before(period, HOUR_NS, UTC_ZONE).days == (date(2026, 11, 22),)
    assert period.slice(1, 2) == whole_days(date(2026, 11, 24), date(2026, 11, 25), UTC_ZONE)
