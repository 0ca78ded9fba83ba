"""What versions of prompts did, and what drifts, as tables."""

from collections.abc import Callable, Sequence
from typing import Final

from rich.text import Text

from trimtab.cli.output import NARROW, console, format_ms, print_table, table
from trimtab.insights.prompt_drift import DriftReport, drift_words
from trimtab.insights.prompt_versions import Figure, VersionFigures
from trimtab.types.money import format_usd

__all__ = ["print_drift", "print_versions"]

_UNKNOWN: Final = "-"


def print_versions(found: Sequence[VersionFigures], *, since: str, prompt: str | None) -> None:
    """Print one line for each version, with intervals where there is room for them."""
    if not found:
        console.print(
            f"No inference of {_named(prompt)} in the last {since}. Call one with prompt.id in "
            "the request, or look further back with --since.",
            markup=False,
        )
        return
    whole = console.width >= NARROW
    columns = ["arm", "inferences", "errors", "no form", "mean cost", "P50", "P95"]
    columns += ["tokens", "first day", "last day"] if whole else []
    shown = table(f"Versions of {_named(prompt)}, last {since}", "prompt", "version", *columns)
    for line in found:
        cells = [
            Text(line.version),
            line.arm,
            f"{line.inferences:,}",
            _cell(line.errors, _percent, whole=whole),
            _cell(line.invalid, _percent, whole=whole),
            _cell(line.mean_cost_nanousd, _usd, whole=whole),
            format_ms(line.latency_p50_ms),
            format_ms(line.latency_p95_ms),
        ]
        if whole:
            tokens = line.mean_output_tokens
            cells += [_UNKNOWN if tokens is None else f"{tokens:,.0f}"]
            cells += [line.first_day, line.last_day]
        shown.add_row(Text(line.prompt), *cells)
    print_table(shown)
    if whole:
        console.print("In brackets: 95 % intervals. Days are UTC.")


def print_drift(report: DriftReport, *, prompt: str | None) -> None:
    """Print each alarm in a sentence, and what was looked at."""
    if not report.watched:
        console.print(
            f"No version of {_named(prompt)} was served in the last seven whole days (UTC).",
            markup=False,
        )
        return
    for alarm in report.alarms:
        console.print(
            f"{alarm.prompt} {alarm.version}: since {alarm.day} {drift_words(alarm)} "
            f"(p = {alarm.p:.2g}).",
            markup=False,
            soft_wrap=True,
        )
    if report.alarms:
        console.print()
    shown = table("Versions that are watched", "prompt", "version", "since", "days", "drift")
    for one in report.watched:
        told = str(one.alarms) if one.alarms else "none"
        if one.days < report.least_days:
            told = f"after {report.least_days} days"
        shown.add_row(Text(one.prompt), Text(one.version), one.first_day, str(one.days), told)
    print_table(shown)


def _named(prompt: str | None) -> str:
    return "any prompt" if prompt is None else f"prompt {prompt}"


def _cell(figure: Figure | None, shown: Callable[[float], str], *, whole: bool) -> str:
    if figure is None:
        return _UNKNOWN
    estimate = shown(figure.estimate)
    if not whole or figure.low is None or figure.high is None:
        return estimate
    return f"{estimate} ({shown(figure.low)} to {shown(figure.high)})"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _usd(nanousd: float) -> str:
    return format_usd(round(nanousd), digits=3)
