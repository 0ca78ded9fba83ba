"""What users say of versions, as a table."""

from collections.abc import Sequence

from rich.text import Text

from trimtab.cli.output import NARROW, console, print_table, table
from trimtab.feedback.report import VersionFeedback

__all__ = ["print_feedback"]


def print_feedback(found: Sequence[VersionFeedback], *, since: str, prompt: str | None) -> None:
    """Print one line for each version and metric."""
    if not found:
        of = "" if prompt is None else f" on prompt {prompt}"
        console.print(
            f"No feedback{of} in the last {since}. Send it to POST /v1/feedback, or look further "
            "back with --since.",
            markup=False,
        )
        return
    whole = console.width >= NARROW
    columns = ["model", "metric"] if whole else ["metric"]
    shown = table(
        f"Feedback, last {since}", "prompt", "version", *columns, "count", "good", "up or mean"
    )
    for one in found:
        cells = [Text(one.prompt or "(none)"), Text(one.version or "-")]
        cells += [Text(one.model), Text(one.metric)] if whole else [Text(one.metric)]
        good = "-" if one.good is None else f"{one.good:,}"
        shown.add_row(*cells, f"{one.count:,}", good, _estimate(one, whole=whole))
    print_table(shown)
    if whole:
        console.print("With 95 % intervals: Wilson's of shares, the normal one of means.")


def _estimate(one: VersionFeedback, *, whole: bool) -> str:
    scale, digits, unit = (100, 1, "%") if one.boolean else (1, 2, "")
    told = f"{scale * one.estimate:.{digits}f}{unit}"
    if not whole or one.low is None or one.high is None:
        return told
    return f"{told} ({scale * one.low:.{digits}f}-{scale * one.high:.{digits}f})"
