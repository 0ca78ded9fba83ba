"""The bill as a table."""

from rich.text import Text

from trimtab.cli.output import NARROW, console, format_time, print_table, table
from trimtab.cli.spend.outlier_lines import print_concentration, print_outliers
from trimtab.insights.spending import SpendReport, UserSpend
from trimtab.types.money import format_usd

__all__ = ["print_spend"]


def print_spend(report: SpendReport) -> None:
    """Print the bill, the costliest user first, and what is known about its uncertainty."""
    span = f"{format_time(report.since_ns)} to {format_time(report.until_ns)} UTC"
    if not report.users:
        console.print(f"No requests from {span}. Send one to the gateway, then ask again.")
        return
    columns = _columns(report)
    shown = table(f"Cost per user, {span}", *columns)
    for user in report.users:
        cells = _cells(user)
        shown.add_row(*(cells[column] for column in columns))
    print_table(shown)
    if report.user_count > len(report.users):
        console.print(_rest(report))
    print_concentration(report.concentration, "user")
    print_outliers((one.name, one.text) for one in report.flagged)
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


def _rest(report: SpendReport) -> str:
    rest_nanousd = report.cost_nanousd - sum(user.cost_nanousd for user in report.users)
    return (
        f"{report.user_count - len(report.users):,} more users cost {format_usd(rest_nanousd)}; "
        "see them with --top 0."
    )


def _columns(report: SpendReport) -> list[str]:
    columns = ["user", "requests", "cost", "share", "median", "P95"]
    if console.width >= NARROW:
        columns[2:2] = ["tokens in", "tokens out"]
    if report.unsettled_nanousd:
        columns.append("unsettled")
    return columns


def _cells(user: UserSpend) -> dict[str, str | Text]:
    ended = user.requests > 0
    # Names come from outside: as Text they cannot carry markup.
    return {
        "user": Text(user.user or "(no user)"),
        "requests": f"{user.requests:,}",
        "tokens in": f"{user.input_tokens:,}",
        "tokens out": f"{user.output_tokens:,}",
        "cost": format_usd(user.cost_nanousd),
        "share": f"{user.share:.1%}",
        "median": f"~{format_usd(user.median_nanousd, digits=2)}" if ended else "-",
        "P95": f"~{format_usd(user.p95_nanousd, digits=2)}" if ended else "-",
        "unsettled": format_usd(user.unsettled_nanousd),
    }
