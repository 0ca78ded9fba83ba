"""Windows of time in all the odd days that clocks on walls have."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trimtab.config.environment import environment
from trimtab.config.money import WindowLength
from trimtab.spend.windows import Window, window_at
from trimtab.types.clock import NS_PER_S

LENGTHS: Final[tuple[WindowLength, ...]] = ("hour", "day", "week", "month")
HOUR_NS: Final = 3_600 * NS_PER_S
ZONES = sorted(available_timezones())
LAST_S: Final = 2_145_916_800  # the end of 2037


def ns(zone: str, *wall: int, fold: int = 0) -> int:
    local = datetime(wall[0], wall[1], wall[2], *wall[3:], tzinfo=ZoneInfo(zone), fold=fold)
    return round(local.astimezone(UTC).timestamp()) * NS_PER_S


def window(length: WindowLength, zone: str, *wall: int, fold: int = 0) -> Window:
    return window_at(length, ns(zone, *wall, fold=fold), ZoneInfo(zone))


def hours(of: Window) -> float:
    return (of.end_ns - of.begin_ns) / HOUR_NS


@pytest.mark.parametrize(
    ("zone", "day", "long_h"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Europe/Berlin", (2026, 10, 26), 24),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("Australia/Lord_Howe", (2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("Asia/Kolkata", (2026, 3, 29), 24),
        ("UTC", (2028, 2, 29), 24),
    ],
)
def test_a_day_has_as_many_hours_as_the_clock_on_the_wall_gives_it(
    zone: str, day: tuple[int, int, int], long_h: float
):
    for hour in (1, 12, 23):
        found = window("day", zone, *day, hour, 30)
        assert found.begin_ns == ns(zone, *day)
        assert hours(found) == long_h


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Santiago", (2026, 9, 6)),
        ("Africa/Cairo", (2014, 5, 16)),
        ("America/Asuncion", (2023, 10, 1)),
    ],
)
def test_where_midnight_is_skipped_the_day_begins_with_the_change(
    zone: str, day: tuple[int, int, int]
):
    found = window("day", zone, *day, 12)
    begin = datetime.fromtimestamp(found.begin_ns // NS_PER_S, ZoneInfo(zone))
    assert (begin.hour, begin.minute) == (1, 0)
    before = datetime.fromtimestamp(found.begin_ns // NS_PER_S - 1, ZoneInfo(zone))
    assert (before.hour, before.minute, before.second) == (23, 59, 59)
    assert hours(found) == 23


def test_a_change_that_begins_before_midnight_and_ends_after_it_begins_the_day():
    # Toronto went from 23:30 on 30 March 1919 to 00:30 on the 31st.
    found = window("day", "America/Toronto", 1919, 3, 31, 0, 45)
    begin = datetime.fromtimestamp(found.begin_ns // NS_PER_S, ZoneInfo("America/Toronto"))
    assert (begin.day, begin.hour, begin.minute) == (31, 0, 30)
    assert window_at("day", found.begin_ns - 1, ZoneInfo("America/Toronto")).end_ns == (
        found.begin_ns
    )


def test_where_midnight_comes_twice_the_day_begins_at_the_first():
    first = window("day", "America/Havana", 2026, 11, 1, 0, 30)
    second = window("day", "America/Havana", 2026, 11, 1, 0, 30, fold=1)
    assert first == second
    assert first.begin_ns == ns("America/Havana", 2026, 11, 1)
    assert hours(first) == 25


def test_an_evening_that_comes_again_after_midnight_belongs_to_the_new_day():
    # In Newfoundland clocks went back from 00:01 to 23:01.
    again = window("day", "America/St_Johns", 2010, 11, 6, 23, 30, fold=1)
    assert again == window("day", "America/St_Johns", 2010, 11, 7, 12)
    assert again != window("day", "America/St_Johns", 2010, 11, 6, 23, 30)


def test_a_day_that_never_was_is_in_no_window():
    found = window("day", "Pacific/Apia", 2011, 12, 29, 12)
    assert found.end_ns == ns("Pacific/Apia", 2011, 12, 31)
    assert hours(found) == 24


def test_months_weeks_and_years():
    berlin = "Europe/Berlin"
    assert window("month", berlin, 2028, 2, 29, 23) == Window(
        ns(berlin, 2028, 2, 1), ns(berlin, 2028, 3, 1)
    )
    assert window("month", berlin, 2026, 12, 31, 23) == Window(
        ns(berlin, 2026, 12, 1), ns(berlin, 2027, 1, 1)
    )
    assert window("month", berlin, 2026, 1, 31) == Window(
        ns(berlin, 2026, 1, 1), ns(berlin, 2026, 2, 1)
    )
    over_the_year = Window(ns(berlin, 2025, 12, 29), ns(berlin, 2026, 1, 5))
    assert window("week", berlin, 2025, 12, 29) == over_the_year
    assert window("week", berlin, 2026, 1, 4, 23, 59) == over_the_year
    assert hours(window("week", berlin, 2026, 3, 25)) == 7 * 24 - 1
    assert hours(window("month", berlin, 2026, 10, 2)) == 31 * 24 + 1


def test_hours_are_those_of_the_wall():
    kolkata = window("hour", "Asia/Kolkata", 2026, 5, 5, 10, 45)
    assert kolkata == Window(ns("Asia/Kolkata", 2026, 5, 5, 10), ns("Asia/Kolkata", 2026, 5, 5, 11))
    assert kolkata.begin_ns % HOUR_NS == HOUR_NS // 2
    # An hour that comes twice is two hours; where only half of one does, it is a short one.
    assert window("hour", "Europe/Berlin", 2026, 10, 25, 2, 30) != window(
        "hour", "Europe/Berlin", 2026, 10, 25, 2, 30, fold=1
    )
    once = window("hour", "Australia/Lord_Howe", 2026, 4, 5, 1, 45)
    again = window("hour", "Australia/Lord_Howe", 2026, 4, 5, 1, 45, fold=1)
    assert (hours(once), hours(again)) == (1, 0.5)
    assert again.begin_ns == once.end_ns
    assert again.end_ns == ns("Australia/Lord_Howe", 2026, 4, 5, 2)
    # Liberia went from 23:15:30 to midnight in 1972.
    cut = window("hour", "Africa/Monrovia", 1972, 1, 6, 23, 10)
    assert cut.end_ns == ns("Africa/Monrovia", 1972, 1, 7)


@given(length=st.sampled_from(LENGTHS), zone=st.sampled_from(ZONES), at_s=st.integers(0, LAST_S))
@example(length="hour", zone="Australia/Lord_Howe", at_s=2_138_198_399)
@example(length="day", zone="America/St_Johns", at_s=1_289_098_860)
@example(length="hour", zone="Africa/Monrovia", at_s=63_593_071)
def test_windows_tile_time(length: WindowLength, zone: str, at_s: int):
    where = ZoneInfo(zone)
    at_ns = at_s * NS_PER_S + 999
    found = window_at(length, at_ns, where)
    assert found.begin_ns <= at_ns < found.end_ns
    assert window_at(length, found.begin_ns, where) == found
    assert window_at(length, found.end_ns - 1, where) == found
    assert window_at(length, found.end_ns, where).begin_ns == found.end_ns
    assert window_at(length, found.begin_ns - 1, where).end_ns == found.begin_ns
    begin = datetime.fromtimestamp(found.begin_ns // NS_PER_S, where)
    before = datetime.fromtimestamp(found.begin_ns // NS_PER_S - 1, where)
    changes = begin.utcoffset() != before.utcoffset()
    if not changes:
        assert (begin.minute, begin.second) == (0, 0)
    if length != "hour":
        assert changes or begin.hour == 0
        assert begin.date() > before.date()
        assert length != "week" or begin.weekday() == 0 or changes
        assert length != "month" or begin.day == 1


@given(zone=st.sampled_from(ZONES), at_s=st.integers(0, LAST_S))
def test_days_of_all_windows_are_whole(zone: str, at_s: int):
    where = ZoneInfo(zone)
    day = window_at("day", at_s * NS_PER_S, where)
    for length in ("week", "month"):
        longer = window_at(length, at_s * NS_PER_S, where)
        assert longer.begin_ns <= day.begin_ns < day.end_ns <= longer.end_ns
        days = timedelta(microseconds=(longer.end_ns - longer.begin_ns) / 1_000).days
        assert 5 <= days <= 32


def test_time_zones_are_known_where_the_system_has_none():
    program = "from zoneinfo import ZoneInfo as Z; print(Z('UTC'), Z('Europe/Berlin'))"
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment(), "PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.split() == ["UTC", "Europe/Berlin"], said.stderr
