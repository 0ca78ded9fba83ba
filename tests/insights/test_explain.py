"""Plans with dates and classes, other times to compare with, and what cannot be explained."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from insights.ledgers import CALL_NANOUSD, TODAY, books, calls, write
from trimtab.config.plan import EVERYONE, NO_CLASS, Estimate, PlanPrice, add_estimate, load_plan
from trimtab.errors import UnpricedModel, UsageError
from trimtab.insights.estimates import planned_bills, planned_nanousd, with_price
from trimtab.insights.explain import Books, ExplainReport, explain_against, explain_plan
from trimtab.insights.periods import Period, whole_days
from trimtab.types.identity import Caller
from trimtab.types.records import Intent
from trimtab.types.usage import Usage


def days(first: int, last: int) -> Period:
    """From so many days ago up to so many days ago."""
    return whole_days(ago(first), ago(last), ZoneInfo("UTC"))


def estimate(**changes: Any) -> Estimate:
    values: dict[str, Any] = {
        "users": 10,
        "requests_per_user_per_day": 1.0,
        "turns_per_session": 1.0,
        "input_tokens": 1_000.0,
        "output_tokens": 100.0,
        "model": "smart",
    }
    return Estimate(**values | changes)


def ago(count: int) -> date:
    return TODAY - timedelta(days=count)


def plan(of: Books, since: date, user_class: str = EVERYONE, **changes: Any) -> None:
    add_estimate(of.project, since, user_class, estimate=estimate(**changes))


def factors(report: ExplainReport) -> dict[str, float]:
    """Those that are not 1."""
    return {cause.name: cause.factor for cause in report.causes if cause.factor != 1}


def explain(of: Books, period: Period) -> ExplainReport:
    return explain_plan(of, load_plan(of.project), period)


def test_a_bill_that_is_as_planned_has_no_cause(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(5))
    write(tmp_path, calls(10))
    report = explain(of, days(1, 0))
    assert (report.planned_nanousd, report.actual_nanousd) == (10 * CALL_NANOUSD,) * 2
    assert report.ratio == 1
    assert factors(report) == {}
    assert {cause.amount_nanousd for cause in report.causes} == {0}
    assert report.notes == []


def test_each_estimate_holds_until_the_next(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(4))
    plan(of, ago(2), users=20)
    for days_ago, count in ((4, 10), (3, 10), (2, 30), (1, 30)):
        write(tmp_path, calls(count, days_ago=days_ago))
    report = explain(of, days(4, 0))
    assert report.planned_nanousd == (10 + 10 + 20 + 20) * CALL_NANOUSD
    assert factors(report) == {"users": pytest.approx(80 / 60)}
    assert explain(of, days(2, 0)).ratio == 1.5


def test_days_before_the_first_estimate_are_left_out_and_told(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(2))
    write(tmp_path, calls(10, days_ago=3), calls(10, days_ago=2), calls(10))
    report = explain(of, days(3, 0))
    assert (report.days, report.ratio) == (2, 1)
    assert report.notes == [f"The first estimate is of {ago(2)}: nothing is told of before."]


def test_classes_are_told_apart(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(5), "pro", users=2)
    plan(of, ago(5), NO_CLASS)
    write(tmp_path, calls(10), calls(6, user_class="pro"), calls(1, user_class="gold"))
    report = explain(of, days(1, 0))
    assert {part.user_class: part.actual_nanousd // CALL_NANOUSD for part in report.classes} == {
        "": 10, "gold": 1, "pro": 6,
    }  # fmt: skip
    assert factors(report) == {"users": pytest.approx(16 / 12), "outside": pytest.approx(17 / 16)}
    outside = report.causes[-1]
    assert (outside.happened, outside.bill_nanousd) == (CALL_NANOUSD, 17 * CALL_NANOUSD)


def test_growth_is_part_of_the_plan(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(31), users=30, users_growth=1.0)
    write(tmp_path, calls(60))
    report = explain(of, days(1, 0))
    assert report.planned_nanousd == 60 * CALL_NANOUSD
    assert planned_nanousd(of, load_plan(of.project), days(31, 29)) == 61 * CALL_NANOUSD
    assert planned_nanousd(of, load_plan(of.project), days(33, 31)) == 0


def test_prices_that_changed_since_are_a_cause(tmp_path: Path) -> None:
    of = books(tmp_path)
    was = PlanPrice(
        input_usd_per_mtok=Decimal(1),
        cache_read_usd_per_mtok=Decimal(1),
        cache_write_usd_per_mtok=Decimal(1),
        output_usd_per_mtok=Decimal(4),
    )
    plan(of, ago(5), price=was)
    write(tmp_path, calls(10))
    assert factors(explain(of, days(1, 0))) == {"prices": 2}


def test_a_price_is_written_down_with_the_estimate(tmp_path: Path) -> None:
    of = books(tmp_path)
    price = with_price(of, estimate(), ago(1)).price
    assert price is not None
    assert price.input_usd_per_mtok == 2
    assert price.cache_read_usd_per_mtok == Decimal("0.5")
    assert price.cache_write_usd_per_mtok == 2
    assert price.output_usd_per_mtok == 8
    assert price.version.startswith("project/")
    assert with_price(of, estimate(price=price), ago(1)).price == price


def test_a_plan_of_a_model_without_a_price(tmp_path: Path) -> None:
    of = books(tmp_path)
    with pytest.raises(UnpricedModel, match="'unknown'"):
        with_price(of, estimate(model="unknown"), ago(1))
    own = with_price(of, estimate(), ago(1)).price
    written = with_price(of, estimate(model="unknown", price=own), ago(1)).price
    assert written is not None
    assert (written.input_usd_per_mtok, written.version) == (2, "")


def test_a_model_that_lost_its_price_is_told(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(5))
    write(tmp_path, calls(5), calls(5, name="b", user_class="", model="gone", cost_nanousd=1_100))
    report = explain(of, days(1, 0))
    assert report.notes == [
        "openai:gone has no price any more: all its tokens count as equally dear."
    ]
    assert factors(report)["models"] < 1
    write(tmp_path, calls(1, days_ago=2, model="never-heard-of", cost_nanousd=10))
    assert "never-heard-of" in explain(of, days(2, 1)).notes[0]


def test_another_time_stands_in_for_a_plan(tmp_path: Path) -> None:
    of = books(tmp_path)
    failed: dict[str, Any] = {
        "outcome": "error",
        "error_code": "busy",
        "cost_nanousd": CALL_NANOUSD // 2,
    }
    for days_ago in (3, 2):
        well, badly = calls(8, days_ago=days_ago), calls(2, days_ago=days_ago, name="b", **failed)
        write(tmp_path, well, badly)
    write(tmp_path, calls(20))
    report = explain_against(of, days(1, 0), days(3, 1))
    assert report.against == "period"
    assert (report.against_since_ns, report.against_until_ns) == (
        days(3, 1).since_ns,
        days(3, 1).until_ns,
    )
    assert report.planned_nanousd == 9 * CALL_NANOUSD
    found = factors(report)
    assert found.keys() == {"users", "turns", "unanswered", "failed"}
    # Eight users had a session each; two of them asked once more, in the same one.
    assert found["users"] == 20 / 8
    assert found["turns"] == pytest.approx(8 / 10)
    assert found["unanswered"] == pytest.approx(10 / 8)
    assert found["failed"] == pytest.approx(8 / 9)


def test_classes_that_are_new_since(tmp_path: Path) -> None:
    of = books(tmp_path)
    write(tmp_path, calls(10, days_ago=2), calls(5, days_ago=2, user_class="old"))
    write(tmp_path, calls(10), calls(10, user_class="pro"))
    found = factors(explain_against(of, days(1, 0), days(2, 1)))
    assert found == {"users": pytest.approx(10 / 15), "outside": 2}


def test_today_so_far_is_held_against_as_much_of_the_plan(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(0), users=24)
    write(tmp_path, calls(12, days_ago=0))
    whole = days(0, -1)
    half = (whole.edges_ns[1] - whole.edges_ns[0]) * 13 // 24
    today = Period(whole.days, (whole.since_ns, whole.since_ns + half), (Fraction(13, 24),))
    report = explain(of, today)
    assert report.planned_nanousd == 13 * CALL_NANOUSD
    assert factors(report) == {"users": pytest.approx(12 / 13)}


def test_callers_who_name_neither_user_nor_session(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(5))
    write(tmp_path, calls(18), calls(2, name="b", cause="first"))
    told = {cause.name: cause.part_of for cause in explain(of, days(1, 0)).causes}
    assert "requests" not in told
    nameless = [
        replace(entry, caller=Caller("key_1")) if isinstance(entry, Intent) else entry
        for entry in calls(3, days_ago=2)
    ]
    write(tmp_path, iter(nameless))
    causes = {cause.name: cause for cause in explain(of, days(2, 1)).causes}
    assert {name: causes[name].part_of for name in ("users", "sessions", "turns")} == dict.fromkeys(
        ("users", "sessions", "turns"), "requests"
    )
    assert causes["requests"].factor == 0.3
    assert (causes["requests"].planned, causes["requests"].happened) == (10, 3)


def test_what_cannot_be_explained_says_what_to_do(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(2))
    with pytest.raises(UsageError, match=r"has no estimate for this time.*--against 30d"):
        explain(of, days(4, 2))
    with pytest.raises(UsageError, match="Nothing was spent in this time"):
        explain(of, days(1, 0))
    with pytest.raises(UsageError, match="Nothing was spent in the time to compare with"):
        explain_against(of, days(1, 0), days(2, 1))
    write(tmp_path, calls(1, days_ago=2))
    with pytest.raises(UsageError, match="Nothing was spent in this time"):
        explain_against(of, days(1, 0), days(2, 1))
    free = PlanPrice(
        input_usd_per_mtok=Decimal(0),
        cache_read_usd_per_mtok=Decimal(0),
        cache_write_usd_per_mtok=Decimal(0),
        output_usd_per_mtok=Decimal(0),
    )
    plan(of, ago(1), price=free)
    with pytest.raises(UsageError, match="says that nothing is spent"):
        explain(of, days(1, 0))


def test_what_the_plan_comes_to(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(9), users_growth=0.3)
    plan(of, ago(2), NO_CLASS, turns_per_session=None)
    plan(of, TODAY + timedelta(days=1))
    old, others, later = planned_bills(of, load_plan(of.project), TODAY)
    assert (old.holds, others.holds, later.holds) == (False, True, False)
    assert (old.since, others.user_class) == (ago(9).isoformat(), "others")
    assert old.day_nanousd == 10 * CALL_NANOUSD
    # Ten users and a tenth of a user more each day: 300 + 0.1 x (0 + ... + 29) user days.
    assert old.month_nanousd == round(Fraction(3_435, 10) * CALL_NANOUSD)
    assert old.user_nanousd == 30 * CALL_NANOUSD
    assert others.turns_per_session is None


def test_tokens_of_the_prompt_cache_are_read_from_the_ledger(tmp_path: Path) -> None:
    of = books(tmp_path)
    plan(of, ago(5), cached_share=0.5)
    usage = Usage(input_tokens=1_000, cache_read_tokens=500, output_tokens=100)
    cost = 500 * 2_000 + 500 * 500 + 100 * 8_000
    write(tmp_path, calls(10, usage=usage, cost_nanousd=cost))
    assert factors(explain(of, days(1, 0))) == {}
    write(tmp_path, calls(10, days_ago=2))
    cold = explain(of, days(2, 1))
    assert factors(cold) == {"prompt_cache": pytest.approx(CALL_NANOUSD / cost)}
