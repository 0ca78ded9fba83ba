"""When a forecast is worth an alert."""

from decimal import Decimal

from trimtab.config.money import Budget
from trimtab.insights.forecast import Forecast, ForecastReport
from trimtab.insights.forecast_alerts import forecast_alerts

USD = 1_000_000_000


def report(low: int | None, planned: int | None) -> ForecastReport:
    total = Forecast(
        user_class="",
        spent_nanousd=50 * USD,
        days_known=30,
        low_nanousd=low,
        median_nanousd=low,
        high_nanousd=None if low is None else low + 10 * USD,
    )
    return ForecastReport(
        month="2026-11",
        time_zone="UTC",
        until_ns=1,
        days_left=5.0,
        confidence=0.8,
        least_days=28,
        total=total,
        classes=[],
        planned_nanousd=planned,
    )


def budget(amount: int, **changes: object) -> Budget:
    fields: dict[str, object] = {"per": "total", "window": "month", "limit_usd": Decimal(amount)}
    return Budget(**(fields | changes))  # pyright: ignore[reportArgumentType] - fields by name


def test_what_even_the_low_end_is_above_is_told():
    budgets = {
        "all": budget(70),
        "wide": budget(500),
        "rolling": budget(1, rolling=True),
        "daily": budget(1, window="day"),
        "each": budget(1, per="user"),
    }
    plan, one = forecast_alerts(report(80 * USD, 64 * USD), budgets)
    assert plan.message == "2026-11 will cost $80.00 to $90.00, which is above the plan of $64.00."
    assert (plan.kind, plan.key) == ("forecast", "forecast/2026-11/the plan")
    assert "above budget all of $70.00" in one.message
    assert one.facts["amount_nanousd"] == 70 * USD


def test_what_is_not_certain_is_not_told():
    assert forecast_alerts(report(64 * USD, 64 * USD), {}) == []
    assert forecast_alerts(report(None, 1), {"all": budget(1)}) == []
    assert forecast_alerts(report(80 * USD, None), {}) == []
