"""Where the parts of the pictures lie."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.console.drawing import HEIGHT, draw_columns, tick_amounts
from trimtab.console.month_drawing import draw_month
from trimtab.console.standing_drawing import draw_standing
from trimtab.console.waterfall import draw_waterfall, rows_of
from trimtab.insights.explain import Cause, ExplainReport
from trimtab.insights.forecast import Forecast, ForecastReport
from trimtab.insights.standing import standing
from trimtab.looks import words
from trimtab.types.money import NANO_PER_USD

AMOUNTS = st.integers(0, 10**18)


@given(AMOUNTS)
def test_ticks_are_round_and_reach_beyond(most: int):
    ticks = tick_amounts(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert 2 <= len(ticks) <= 5
    step = ticks[1]
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert ticks == [step * at for at in range(len(ticks))]


@given(st.lists(AMOUNTS, max_size=100), st.none() | AMOUNTS)
def test_columns_stay_inside(amounts: list[int], line: int | None):
    names = [f"day {at}" for at in range(len(amounts))]
    drawn = draw_columns(list(zip(names, amounts, strict=True)), marks=names, line_nanousd=line)
    assert [column.nanousd for column in drawn.columns] == amounts
    for column in drawn.columns:
        assert 0 <= column.y <= HEIGHT
        assert column.y + column.height == pytest.approx(HEIGHT)
        assert bool(column.height) == bool(column.nanousd)
        assert 0 <= share(column.x) <= share(column.x) + share(column.width) <= 100
    assert [column.in_part for column in drawn.columns].count(True) == bool(amounts)
    assert len(drawn.marks) <= 6
    assert (drawn.line_y is None) == (line is None)
    assert line is None or 0 <= (drawn.line_y or 0) <= HEIGHT


def share(text: str) -> float:
    return float(text.removesuffix("%"))


@given(st.dictionaries(st.text(max_size=3), AMOUNTS, max_size=60), st.text(max_size=3))
def test_everyone_is_somewhere_on_the_scale(costs: dict[str, int], name: str):
    found = standing(costs, name)
    spenders = [cost for other, cost in costs.items() if other and cost]
    assert sum(found.bins) == found.count == len(spenders)
    own = costs.get(name, 0) if name else 0
    assert found.rank == (1 + sum(cost > own for cost in spenders) if own else 0)
    assert (found.own_bin is None) == (not own)
    drawn = draw_standing(found)
    assert sum(bar.own for bar in drawn.bins) == bool(own)
    assert bool(drawn.own_x) == bool(own)
    assert bool(drawn.median_x) == bool(spenders)
    assert all(bar.y >= 0 and bar.y + bar.height <= drawn.height + 0.1 for bar in drawn.bins)


def test_the_scale_is_logarithmic():
    found = standing({f"u{at}": 10**at for at in range(1, 7)}, "u6")
    places = [at for at, count in enumerate(found.bins) if count]
    gaps = {after - before for before, after in pairwise(places)}
    assert gaps <= {9, 10}
    assert (found.own_bin, found.rank, found.low_nanousd, found.high_nanousd) == (47, 1, 10, 10**6)
    same = standing({"a": 500, "b": 500}, "a")
    assert sum(count > 0 for count in same.bins) == 1
    assert same.own_bin == same.median_bin
    assert draw_standing(same).own_anchor == "end"
    assert draw_standing(standing({"a": 1, "b": 100}, "a")).own_anchor == "start"


# ------------------------------------------------------------------ the waterfall


def report(*amounts: int, planned: int = 100, **changes: Any) -> ExplainReport:
    names = ("users", "turns", "prompts", "prices", "outside")
    causes = [
        Cause(
            name=name, planned=1.0, happened=2.0, unit="requests per session", factor=1.5,
            part_of="", amount_nanousd=amount, bill_nanousd=0,
        )
        for name, amount in zip(names, amounts, strict=False)
    ]  # fmt: skip
    values: dict[str, Any] = {
        "since_ns": 0, "until_ns": 1, "time_zone": "UTC", "days": 1.0, "against": "plan",
        "against_since_ns": 0, "against_until_ns": 0, "planned_nanousd": planned,
        "actual_nanousd": planned + sum(amounts), "ratio": 1.0, "causes": causes, "classes": [],
        "notes": [],
    }  # fmt: skip
    return ExplainReport(**(values | changes))


@given(st.lists(st.integers(-(10**12), 10**12), max_size=5), st.integers(1, 10**12))
def test_bars_hang_on_each_other(amounts: list[int], planned: int):
    if planned + sum(amounts) <= 0:
        amounts.append(-sum(amounts))
    found = report(*amounts[:5], planned=planned)
    if found.actual_nanousd <= 0:
        return
    drawn = draw_waterfall(found)
    assert [step.kind for step in (drawn.steps[0], drawn.steps[-1])] == ["bill", "bill"]
    for before, step in pairwise(drawn.steps):
        begin, end = share(step.x), share(step.x) + share(step.width)
        joint = share(before.end_x)
        assert 0 <= begin <= end <= 100.31
        if step.kind == "up":
            assert joint == pytest.approx(begin, abs=0.01)
        elif step.kind == "down":
            assert joint == pytest.approx(end, abs=0.31)
        else:
            assert joint == pytest.approx(share(step.end_x), abs=0.01)
    assert sum(step.nanousd for step in drawn.steps[:-1]) == drawn.steps[-1].nanousd
    assert drawn.left_off == sum(not cause.amount_nanousd for cause in found.causes)


def test_more_may_be_taken_away_than_there_was():
    drawn = draw_waterfall(report(-250, 200))
    assert [step.kind for step in drawn.steps] == ["bill", "down", "up", "bill"]
    assert drawn.steps[1].x == "0.000%"
    assert share(drawn.steps[0].x) == pytest.approx(60)
    assert drawn.steps[-1].x == drawn.steps[0].x


def test_rows_say_what_the_command_says():
    causes = [
        Cause(
            name=name, planned=planned, happened=happened, unit=unit, factor=1.0, part_of=part_of,
            amount_nanousd=0, bill_nanousd=0,
        )
        for name, planned, happened, unit, part_of in (
            ("users", 1234.5, 0.4567, "users a day", ""),
            ("sessions", None, None, "sessions per user and day", "turns"),
            ("response_cache", None, 0.25, "share called", ""),
            ("prices", 1.6, 2.4, "nanousd per call", ""),
            ("outside", 0.0, 0.0, "nanousd", ""),
        )
    ]  # fmt: skip
    rows = rows_of(report(causes=causes))
    assert [(row.planned, row.happened, row.unit) for row in rows] == [
        ("1,234", "0.457", "users a day"),
        ("", "", ""),
        ("", "25.0%", "share called"),
        (2, 2, "per call"),
    ]
    assert rows[1].part_of == "turns per session"


# ------------------------------------------------------------------ the month


def forecast(median: int | None, planned: int | None) -> ForecastReport:
    spread = (None, None) if median is None else (median - 20, median + 40)
    total = Forecast(
        user_class="", spent_nanousd=250, days_known=30, low_nanousd=spread[0],
        median_nanousd=median, high_nanousd=spread[1],
    )  # fmt: skip
    return ForecastReport(
        month="2026-11", time_zone="UTC", until_ns=0, days_left=27.5, confidence=0.8,
        least_days=28, total=total, classes=[], planned_nanousd=planned,
    )  # fmt: skip


def test_the_month_adds_up_to_now_and_opens_from_there():
    drawn = draw_month([100, 100, 50], forecast(3_000, 5_000), count=30)
    points = [tuple(map(float, corner.split(","))) for corner in drawn.line.split()]
    assert [round(x * 30 / 1_000, 2) for x, _ in points] == [0, 1, 2, 2.5]
    assert points == sorted(points, key=lambda point: -point[1])
    assert drawn.band.split()[0] == drawn.middle.split()[0] == drawn.line.split()[-1]
    assert drawn.plan.startswith(f"0.0,{HEIGHT}")
    assert drawn.ticks[-1].nanousd >= 5_000
    assert [mark.text for mark in drawn.marks] == ["11-01", "11-07", "11-13", "11-19", "11-25"]
    bare = draw_month([100, 100, 50], forecast(None, None), count=30)
    assert (bare.band, bare.middle, bare.plan) == ("", "", "")


# ------------------------------------------------------------------ words


def test_amounts_beside_pictures_are_short():
    dollars = [0, 1, 20, 999.5, 1_000.4, 12_345.6, 1_234_567, -12_345.6, 2_500_000_000, 0.00012345]
    assert [words.usd_brief(round(amount * NANO_PER_USD)) for amount in dollars] == [
        "$0", "$1", "$20", "$999.50", "$1,000", "$12,346", "$1.23\xa0M", "-$12,346", "$2.5\xa0G",
        "$0.000123",
    ]  # fmt: skip
    assert [words.signed_usd(amount) for amount in (5, 0, -5)] == [
        "+$0.000000005", "$0", "-$0.000000005",
    ]  # fmt: skip
