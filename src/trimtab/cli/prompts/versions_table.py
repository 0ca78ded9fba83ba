"""What versions of prompts did, and what drifts, as tables."""

from collections.abc import Sequence
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
    heard = any(line.thumbs for line in found)  # most prompts have no feedback at all
    columns += ["thumbs up"] if heard else []
    shown = table(f"Versions of prompts, last {since}", "prompt", "version", *columns)
    for line in found:
        cells = [
            Text(line.version),
            line.arm,
            f"{line.inferences:,}",
            _share(line.errors, whole=whole),
            _share(line.invalid, whole=whole),
            _amount(line.mean_cost_nanousd, whole=whole),
            format_ms(line.latency_p50_ms),
            format_ms(line.latency_p95_ms),
        ]
        if whole:
            tokens = line.mean_output_tokens
            cells += [_UNKNOWN if tokens is None else f"{tokens:,.0f}"]
            cells += [line.first_day, line.last_day]
        if heard:
            cells.append(_share(line.thumbs, whole=whole))
        shown.add_row(Text(line.prompt), *cells)
    print_table(shown)
    if whole:
        console.print("With 95 % intervals. Days are UTC.")


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


def _share(figure: Figure | None, *, whole: bool) -> str:
    if figure is None:
        return _UNKNOWN
    estimate = f"{figure.estimate:.1%}"
    if not whole or figure.low is None or figure.high is None:
        return estimate
    return f"{estimate} ({100 * figure.low:.1f}-{100 * figure.high:.1f})"


def _amount(figure: Figure | None, *, whole: bool) -> str:
    if figure is None:
        return _UNKNOWN
    estimate = format_usd(round(figure.estimate), digits=3)
    if not whole or figure.high is None or not figure.estimate:
        return estimate
    return f"{estimate} ±{figure.high / figure.estimate - 1:.0%}"
