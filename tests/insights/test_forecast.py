"""What the month will have cost, from a ledger."""

from datetime import timedelta
from pathlib import Path

import pytest

from insights.ledgers import CALL_NANOUSD, TODAY, books, calls, write
from store.samples import NOON_NS
from trimtab.config.plan import EVERYONE, Estimate, add_estimate, load_plan
from trimtab.insights.explain import Books
from trimtab.insights.forecast import ForecastReport, forecast_month

ONE = CALL_NANOUSD


def forecast(of: Books) -> ForecastReport:
    """At noon of 23 November: seven and a half days are left."""
    return forecast_month(of, load_plan(of.project), now_ns=NOON_NS)


def test_a_month_that_goes_on_as_before(tmp_path: Path) -> None:
    of = books(tmp_path)
    for days_ago in range(1, 57):
        write(tmp_path, calls(4, days_ago=days_ago), calls(2, days_ago=days_ago, user_class="pro"))
    write(tmp_path, calls(3, days_ago=0))
    report = forecast(of)
    assert (report.month, report.time_zone, report.days_left) == ("2026-11", "UTC", 7.5)
    assert report.planned_nanousd is None
    free, pro = report.classes
    assert (free.user_class, free.spent_nanousd) == ("", (22 * 4 + 3) * ONE)
    assert (pro.user_class, pro.spent_nanousd) == ("pro", 22 * 2 * ONE)
    assert report.total.spent_nanousd == (22 * 6 + 3) * ONE
    for line, daily in ((free, 4), (pro, 2), (report.total, 6)):
        assert line.days_known == 56
        month = line.spent_nanousd + daily * 15 * ONE // 2
        assert line.low_nanousd == line.median_nanousd == line.high_nanousd
        assert line.median_nanousd == pytest.approx(month, rel=1e-9)


def test_too_little_data_is_said_and_not_foretold(tmp_path: Path) -> None:
    of = books(tmp_path)
    for days_ago in range(1, 28):
        write(tmp_path, calls(1, days_ago=days_ago))
    report = forecast(of)
    assert (report.total.days_known, report.least_days) == (27, 28)
    assert report.total.spent_nanousd == 22 * ONE
    assert report.total.median_nanousd is report.total.low_nanousd is None
    write(tmp_path, calls(1, days_ago=28))
    assert forecast(of).total.median_nanousd is not None


def test_a_month_without_any_spending(tmp_path: Path) -> None:
    report = forecast(books(tmp_path))
    assert report.classes == []
    assert (report.total.spent_nanousd, report.total.days_known) == (0, 0)
    assert report.total.median_nanousd is None


def test_the_plan_stands_beside_it(tmp_path: Path) -> None:
    of = books(tmp_path)
    estimate = Estimate(
        users=2, requests_per_user_per_day=1, input_tokens=1_000, output_tokens=100, model="smart"
    )
    add_estimate(of.project, TODAY - timedelta(days=2), EVERYONE, estimate=estimate)
    # From the 21st on, ten of the thirty days.
    assert forecast(of).planned_nanousd == 20 * ONE
