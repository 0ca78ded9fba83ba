"""The bill by key, as a table."""

from rich.text import Text

from trimtab.cli.output import console, format_time, print_table, table
from trimtab.cli.spend.outlier_lines import print_concentration, print_outliers
from trimtab.insights.key_spending import KeyReport, KeySpend
from trimtab.types.money import format_usd

__all__ = ["print_keys"]


def print_keys(report: KeyReport) -> None:
    """Print the bill, the costliest key first."""
    span = f"{format_time(report.since_ns)} to {format_time(report.until_ns)} UTC"
    if not report.keys:
        console.print(f"No requests from {span}. Send one to the gateway, then ask again.")
        return
    columns = ["key", "team", "requests", "tokens in", "tokens out", "cost", "share"]
    columns += ["median", "P95"]
    if report.unsettled_nanousd:
        columns.append("unsettled")
    shown = table(f"Cost per key, {span}", *columns)
    for key in report.keys:
        cells = _cells(key)
        shown.add_row(*(cells[column] for column in columns))
    print_table(shown)
    print_concentration(report.concentration, "key")
    names = {key.key_id: _name(key) for key in report.keys}
    print_outliers((names.get(one.name, one.name), one.text) for one in report.flagged)
    console.print(f"\nTotal {format_usd(report.cost_nanousd)} in {report.requests:,} requests.")


def _name(key: KeySpend) -> str:
    return key.name or key.key_id or "(no key)"


def _cells(key: KeySpend) -> dict[str, str | Text]:
    ended = key.requests > 0
    # Names come from outside: as Text they cannot carry markup.
    return {
        "key": Text(_name(key)),
        "team": Text(key.team or "-"),
        "requests": f"{key.requests:,}",
        "tokens in": f"{key.input_tokens:,}",
        "tokens out": f"{key.output_tokens:,}",
        "cost": format_usd(key.cost_nanousd),
        "share": f"{key.share:.1%}",
        "median": f"~{format_usd(key.median_nanousd, digits=2)}" if ended else "-",
        "P95": f"~{format_usd(key.p95_nanousd, digits=2)}" if ended else "-",
        "unsettled": format_usd(key.unsettled_nanousd),
    }
