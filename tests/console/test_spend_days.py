"""Which days the page about the bill tells of, at the edges of months and ranges."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from console.spend_stage import DAY_S
from harness import project_text
from store.samples import CLOCK, intent, record, settle
from trimtab.config.load import load_project
from trimtab.config.money import Spend
from trimtab.console.query import Span, read_span
from trimtab.console.spend import columns_of, waste_period
from trimtab.errors import UsageError
from trimtab.insights.explain import Books
from trimtab.insights.spend_groups import bill_of
from trimtab.spend.unit_prices import ModelPrices
from trimtab.store.sqlite import open_reader
from trimtab.types.clock import NS_PER_S

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS_PER_S


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """A dollar on each day from the middle of September to the middle of November."""
    days = range(60)
    entries = [
        entry
        for day in days
        for entry in (
            intent(f"inf_{day}", started_ns=at("2026-09-15T12:00") + day * DAY_S * NS_PER_S),
            settle(f"inf_{day}", cost_nanousd=1_000_000_000),
        )
    ]
    record(tmp_path / ".trimtab", entries)
    file = tmp_path / "trimtab.toml"
    file.write_text(project_text("http://127.0.0.1:1", extra='[spend]\ntime_zone="Europe/Berlin"'))
    project = load_project(file)
    return Books(open_reader(tmp_path / ".trimtab", CLOCK), project, ModelPrices(project))


def span(query: str, now_ns: int) -> Span:
    return read_span(dict(part.split("=") for part in query.split("&")), now_ns, months_in=BERLIN)


@pytest.mark.parametrize(
    ("query", "now", "first", "last", "dollars"),
    [
        ("range=month", "2026-10-20T13:00", "2026-10-01", "2026-10-19", 20),
        ("range=month", "2026-10-01T13:00", "2026-10-01", "2026-10-01", 1),
        # In Berlin it is November already, and the clocks have changed in between.
        ("range=month", "2026-10-31T23:30", "2026-11-01", "2026-11-01", 0),
        ("range=7d", "2026-10-28T13:00", "2026-10-21", "2026-10-27", 7),
        ("range=24h", "2026-10-28T13:00", "2026-10-27", "2026-10-27", 1),
        ("from=2026-10-20&to=2026-10-30", "2026-11-20T13:00", "2026-10-20", "2026-10-30", 10),
        ("from=2026-10-20", "2026-10-20T23:00", "2026-10-20", "2026-10-21", 1),
    ],
)
def test_days(books: Books, query: str, now: str, first: str, last: str, dollars: int) -> None:
    now_ns = at(now)
    asked = span(query, now_ns)
    period = waste_period(books, asked, now_ns=now_ns)
    assert (str(period.days[0]), str(period.days[-1])) == (first, last)
    drawn = columns_of(books, asked)
    assert sum(column.nanousd for column in drawn.columns) == dollars * 1_000_000_000
    bill = bill_of(books.reader, asked.since_ns, asked.until_ns)
    assert bill.cost_nanousd == dollars * 1_000_000_000
    assert drawn.columns[-1].in_part


def test_a_day_of_25_hours_is_one_column(books: Books) -> None:
    now_ns = at("2026-10-28T13:00")
    drawn = columns_of(books, span("range=7d", now_ns))
    assert [column.text for column in drawn.columns] == [f"2026-10-{day}" for day in range(21, 29)]
    assert [column.nanousd for column in drawn.columns] == [0, *[1_000_000_000] * 7]
    assert [column.in_part for column in drawn.columns] == [True, *[False] * 6, True]
    hours = columns_of(books, span("from=2026-10-24T22:00&to=2026-10-25T23:00", now_ns))
    assert [column.text[11:] for column in hours.columns[:5]] == [
        "00:00", "01:00", "02:00", "02:00", "03:00",
    ]  # fmt: skip
    assert len(hours.columns) == 25


def test_midnights_at_half_past_the_hour(books: Books) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    spend = Spend(time_zone=zone.key)
    there = books._replace(project=msgspec.structs.replace(books.project, spend=spend))
    asked = read_span({"range": "month"}, at("2026-10-20T13:00"), months_in=zone)
    drawn = columns_of(there, asked)
    assert [column.text[8:] for column in drawn.columns] == [f"{day:02}" for day in range(1, 21)]
    assert [column.in_part for column in drawn.columns] == [*[False] * 19, True]
    assert sum(column.nanousd for column in drawn.columns) == 20_000_000_000


def test_a_long_range_shows_its_end(books: Books) -> None:
    asked = span("from=2020-01-01", at("2026-11-20T13:00"))
    assert len(columns_of(books, asked).columns) == 92
    assert len(waste_period(books, asked, now_ns=asked.until_ns).days) <= 93


def test_months_only_where_they_are_known() -> None:
    now_ns = at("2026-10-31T23:30")
    found = read_span({"range": "month"}, now_ns, months_in=BERLIN)
    assert (found.since_ns, found.words) == (at("2026-10-31T23:00"), "this month")
    assert found.parameters == {"range": "month"}
    assert found.ends == {"from": "2026-10-31T23:00"}
    assert read_span({"range": "7d"}, now_ns, months_in=BERLIN).ends == {"range": "7d"}
    with pytest.raises(UsageError, match="7d"):
        read_span({"range": "month"}, now_ns)
