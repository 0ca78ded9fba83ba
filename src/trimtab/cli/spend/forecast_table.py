"""The forecast as a table."""

from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.insights.forecast import Forecast, ForecastReport
from trimtab.types.money import format_usd

__all__ = ["print_forecast"]


def print_forecast(report: ForecastReport) -> None:
    """Print what the month will have cost, and how sure that is."""
    if not report.total.days_known and not report.total.spent_nanousd:
        console.print("Nothing was spent in the last eight weeks, so nothing can be foretold.")
        return
    title = f"{report.month} ({report.time_zone}), {report.days_left:.1f} days to go"
    shown = table(title, "class", "so far", "whole month", f"{report.confidence:.0%} interval")
    if len(report.classes) > 1:
        for line in report.classes:
            shown.add_row(Text(line.user_class or "(no class)"), *_cells(line, report))
    shown.add_row("all", *_cells(report.total, report), style="bold")
    print_table(shown)
    if report.planned_nanousd is not None:
        console.print(f"\nThe plan for the whole month: {format_usd(report.planned_nanousd)}.")


def _cells(line: Forecast, report: ForecastReport) -> list[str]:
    spent = format_usd(line.spent_nanousd)
    if line.median_nanousd is None or line.low_nanousd is None or line.high_nanousd is None:
        known = f"{line.days_known} of {report.least_days} days known"
        return [spent, "not enough data", known]
    low, high = format_usd(line.low_nanousd), format_usd(line.high_nanousd)
    return [spent, f"~{format_usd(line.median_nanousd, digits=3)}", f"{low} to {high}"]
