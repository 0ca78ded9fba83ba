"""Waste as a table."""

from typing import Final

from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.cli.spend.explain_table import format_span
from trimtab.insights.waste import WasteName, WasteReport
from trimtab.types.money import format_usd

__all__ = ["print_waste"]

_WORDS: Final[dict[WasteName, str]] = {
    "retries": "retries",
    "continued": "broken streams that were continued",
    "failed_over": "failed over",
    "hedges_lost": "hedges lost",
    "failed": "failed",
    "cancelled": "cancelled",
    "truncated_broken": "truncated: broken off",
    "truncated_limit": "truncated: cut at the limit of output",
    "cache_miss_after_failover": "cache miss after failover (estimated)",
}


def print_waste(report: WasteReport) -> None:
    """Print what was wasted, and what the response cache saved."""
    span = format_span(report.since_ns, report.until_ns, report.time_zone)
    if not report.cost_nanousd and not report.saved_inferences:
        console.print(f"Nothing was spent: {span}. Choose another time with --since or --month.")
        return
    shown = table(f"Waste, {span}", "what for", "calls", "cost", "share")
    for line in report.lines:
        cells = f"{line.attempts:,}", format_usd(line.cost_nanousd), f"{line.share:.2%}"
        shown.add_row(_WORDS[line.name], *cells, style=None if line.cost_nanousd else "dim")
    whole = format_usd(report.wasted_nanousd), f"{report.share:.2%}"
    shown.add_row("all waste", "", *whole, style="bold")
    print_table(shown)
    console.print(f"\nOf {format_usd(report.cost_nanousd)} in all.")
    if report.saved_inferences:
        console.print(
            f"The response cache saved {format_usd(report.saved_nanousd)} "
            f"in {report.saved_inferences:,} requests."
        )
    if report.repeats:
        console.print(
            f"Users asked again {report.repeats:,} times, for {format_usd(report.repeat_nanousd)}; "
            "whether that was waste only they know."
        )
    for note in report.notes:
        console.print(Text(note))
