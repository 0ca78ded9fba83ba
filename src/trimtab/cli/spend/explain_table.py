"""The causes of the bill as a table."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.insights.cause_words import CAUSE_WORDS
from trimtab.insights.explain import Cause, ExplainReport
from trimtab.types.clock import NS_PER_S
from trimtab.types.money import format_usd

__all__ = ["format_span", "print_explanation", "signed_usd"]

_SHARES = ("share called", "share of input cached", "share answered", "share of what answers cost")


def print_explanation(report: ExplainReport) -> None:
    """Print the ratio, and what each cause multiplies and adds."""
    span = format_span(report.since_ns, report.until_ns, report.time_zone)
    what = "planned"
    if report.against == "period":
        earlier = format_span(report.against_since_ns, report.against_until_ns, report.time_zone)
        what = f"what it was from {earlier}, stretched to as many days"
    shown = table(f"Why the bill is {report.ratio:.2f}x {what}: {span}", "cause")
    for column in ("planned" if report.against == "plan" else "before", "happened"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for column in ("factor", "adds"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_row("planned" if report.against == "plan" else "before", *_last(report, first=True))
    for cause in report.causes:
        if cause.name != "outside" or cause.happened:
            shown.add_row(*_cells(cause), style=None if cause.amount_nanousd else "dim")
    shown.add_row("actual", *_last(report, first=False), style="bold")
    print_table(shown)
    _print_classes(report)
    for note in report.notes:
        console.print(Text(note))


def format_span(since_ns: int, until_ns: int, time_zone: str) -> str:
    """A range of days for people."""
    zone = ZoneInfo(time_zone)
    first, last = (
        datetime.fromtimestamp(at_ns // NS_PER_S, UTC).astimezone(zone)
        for at_ns in (since_ns, until_ns - 1)
    )
    days = str(first.date()) if first.date() == last.date() else f"{first.date()} to {last.date()}"
    return f"{days} ({time_zone})"


def signed_usd(nanousd: int) -> str:
    """An amount that is added, for people."""
    return f"+{format_usd(nanousd)}" if nanousd > 0 else format_usd(nanousd)


def _cells(cause: Cause) -> list[str]:
    words = CAUSE_WORDS[cause.name]
    if cause.part_of:
        return [words, "", "", f"not told apart: see {CAUSE_WORDS[cause.part_of]}", "1", "-"]
    unit = cause.unit
    if unit.startswith("nanousd"):
        unit = unit.replace("nanousd", "").strip()
    return [
        words,
        _figure(cause.planned, cause.unit),
        _figure(cause.happened, cause.unit),
        unit,
        f"x{cause.factor:.3f}",
        signed_usd(cause.amount_nanousd),
    ]


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit.startswith("nanousd"):
        return format_usd(round(value))
    if unit in _SHARES:
        return f"{value:.1%}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _last(report: ExplainReport, *, first: bool) -> list[str]:
    amount = report.planned_nanousd if first else report.actual_nanousd
    factor = "" if first else f"x{report.ratio:.3f}"
    return ["", "", "", factor, format_usd(amount)]


def _print_classes(report: ExplainReport) -> None:
    if len(report.classes) < 2:
        return
    console.print()
    for part in report.classes:
        amounts = format_usd(part.planned_nanousd), format_usd(part.actual_nanousd)
        name = part.user_class or "(no class)"
        console.print(Text(f"{name}: planned {amounts[0]}, actual {amounts[1]}"))
