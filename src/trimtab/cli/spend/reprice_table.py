"""A correction of history as a table."""

from rich.text import Text

from trimtab.cli.output import console, format_time, print_table, table
from trimtab.spend.reprice import RepriceReport
from trimtab.types.money import format_usd

__all__ = ["print_repricing"]


def print_repricing(report: RepriceReport) -> None:
    """Print charged, corrected and difference by model, and what could not be corrected."""
    span = f"{format_time(report.since_ns)} to {format_time(report.until_ns)} UTC"
    if not report.models:
        console.print(f"No call used anything from {span}, so there is nothing to correct.")
        return
    shown = table(f"Corrections, {span}", "model", "calls", "charged", "corrected", "difference")
    for model in report.models:
        if model.calls:
            shown.add_row(
                Text(model.model),
                f"{model.calls:,}",
                format_usd(model.charged_nanousd),
                format_usd(model.corrected_nanousd),
                _signed(model.difference_nanousd),
            )
    if shown.row_count:
        print_table(shown)
    for model in report.models:
        if model.unpriced_calls:
            console.print(
                Text(
                    f"{model.model}: {model.unpriced_calls:,} calls have no price now and stay at "
                    f"the {format_usd(model.unpriced_nanousd)} that was charged.",
                    "bold",
                )
            )
    console.print(
        f"\nCharged {format_usd(report.charged_nanousd)}, corrected "
        f"{format_usd(report.corrected_nanousd)}, difference {_signed(report.difference_nanousd)}."
    )
    if report.tier_unknown_nanousd:
        console.print(
            f"Of what was charged, {format_usd(report.tier_unknown_nanousd)} was for calls whose "
            "service tier is not on record: these are corrected as the standard tier."
        )
    console.print(
        f"Kept as set {report.set_id} of {format_time(report.created_ns)} UTC. "
        "What was charged is unchanged."
    )


def _signed(nanousd: int) -> str:
    return f"+{format_usd(nanousd)}" if nanousd > 0 else format_usd(nanousd)
