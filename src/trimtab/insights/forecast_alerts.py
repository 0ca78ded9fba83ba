"""What is told of a forecast: only what is nearly certain, once a month. Pure."""

from collections.abc import Mapping

from trimtab.config.money import Budget
from trimtab.insights.forecast import ForecastReport
from trimtab.types.alerts import Alert
from trimtab.types.money import format_usd

__all__ = ["forecast_alerts"]


def forecast_alerts(report: ForecastReport, budgets: Mapping[str, Budget]) -> list[Alert]:
    """One alert for each amount that even the low end of the interval is above.

    Args:
        report: of the current month.
        budgets: by name; those in total for a calendar month count, beside the plan.
    """
    low_nanousd = report.total.low_nanousd
    if low_nanousd is None:
        return []
    amounts: dict[str, int] = {}
    if report.planned_nanousd is not None:
        amounts["the plan"] = report.planned_nanousd
    for name, budget in budgets.items():
        limit_nanousd = budget.limit_nanousd("", "")
        is_month = (budget.per, budget.window, budget.rolling) == ("total", "month", False)
        if is_month and limit_nanousd is not None:
            amounts[f"budget {name}"] = limit_nanousd
    return [
        _alert(report, what, amount, low_nanousd)
        for what, amount in amounts.items()
        if low_nanousd > amount
    ]


def _alert(report: ForecastReport, what: str, amount: int, low_nanousd: int) -> Alert:  # noqa: PLR0917 - one alert
    high_nanousd = report.total.high_nanousd or low_nanousd
    return Alert(
        kind="forecast",
        key=f"forecast/{report.month}/{what}",
        at_ns=report.until_ns,
        message=(
            f"{report.month} will cost {format_usd(low_nanousd)} to {format_usd(high_nanousd)}, "
            f"which is above {what} of {format_usd(amount)}."
        ),
        facts={
            "month": report.month,
            "confidence": report.confidence,
            "low_nanousd": low_nanousd,
            "high_nanousd": high_nanousd,
            "spent_nanousd": report.total.spent_nanousd,
            "amount_nanousd": amount,
        },
    )
