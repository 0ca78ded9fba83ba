"""The bill as a table."""

from rich.text import Text

from trimtab.cli.output import console, format_time, table
from trimtab.insights.spending import SpendReport, UserSpend
from trimtab.types.money import format_usd

__all__ = ["print_spend"]


def print_spend(report: SpendReport) -> None:
    """Print the bill, the costliest user first, and what is known about its uncertainty."""
    span = f"{format_time(report.since_ns)} to {format_time(report.until_ns)} UTC"
    if not report.users:
        console.print(f"No requests from {span}. Send one to the gateway, then ask again.")
        return
    shown = table(
        f"Cost per user, {span}",
        "user", "requests", "tokens in", "tokens out", "cost", "share", "median", "P95", "",
    )  # fmt: skip
    for user in report.users:
        shown.add_row(*_cells(user))
    console.print(shown)
    console.print(f"\nTotal {format_usd(report.cost_nanousd)} in {report.requests:,} requests.")
    if report.estimated_nanousd:
        console.print(
            f"Of this {format_usd(report.estimated_nanousd)} is estimated: the calls were cut off "
            "before the provider reported their usage."
        )
    if report.unsettled_nanousd:
        console.print(
            f"Besides, up to {format_usd(report.unsettled_nanousd)} is unsettled: a crash came "
            "before the end of these calls was known (`trimtab ledger verify` counts them)."
        )


def _cells(user: UserSpend) -> list[str | Text]:
    # Names come from outside: as Text they cannot carry markup.
    return [
        Text(user.user or "(no user)"),
        f"{user.requests:,}",
        f"{user.input_tokens:,}",
        f"{user.output_tokens:,}",
        format_usd(user.cost_nanousd),
        f"{user.share:.1%}",
        format_usd(user.median_nanousd),
        format_usd(user.p95_nanousd),
        Text(user.outlier, style="bold yellow"),
    ]
