"""`trimtab latency`: how long people wait."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder, Since, Top, top_of

if TYPE_CHECKING:
    from trimtab.insights.latency import LatencyRow

__all__ = ["latency", "print_latency"]


_UNNAMED = {"total": "all", "user": "(no user)", "model": "(none)", "route": "(none)"}


class Grouping(StrEnum):
    """What to split by."""

    total = "total"
    model = "model"
    route = "route"
    user = "user"


def latency(
    by: Annotated[Grouping, typer.Option(help="What to split by.")] = Grouping.model,
    since: Since = "24h",
    top: Top = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Percentiles of latency and time to first token; timeouts count at their deadline."""
    from trimtab.app import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.insights.latency import latency_by
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    now_ns = SystemClock.wall_ns()
    reader = open_reader(find_project_file(project))
    since_ns = now_ns - parse_window_ns(since)
    few = top_of(top, as_json=as_json)
    rows = latency_by(reader, by.value, since_ns=since_ns, until_ns=now_ns, top=few)
    if as_json:
        print_json(rows)
        return
    print_latency(rows, by.value)
    if by is Grouping.user and len(rows) == few:
        print(f"These are the {few} costliest users, the busiest first; see all with --top 0.")


def print_latency(rows: "list[LatencyRow]", by: str) -> None:
    """Print two lines for each row: the whole answer, and the time to the first token."""
    from rich.text import Text

    from trimtab.cli.output import NARROW, console, format_ms, print_table, table

    if not rows:
        console.print("No requests in this time. Send one to the gateway, then ask again.")
        return
    shares = ["P50", "P90", "P95", "P99", "P99.9", "max"]
    if console.width < NARROW:
        shares = ["P50", "P95", "P99"]
    shown = table(
        f"Latency by {by}, timeouts counted at their deadline",
        by, "", "count", "errors", "timeouts", *shares,
    )  # fmt: skip
    for row in rows:
        for name, part in (("answer", row.total), ("first token", row.ttft)):
            whole = name == "answer"
            figures = {
                "P50": part.p50_ms,
                "P90": part.p90_ms,
                "P95": part.p95_ms,
                "P99": part.p99_ms,
                "P99.9": part.p999_ms,
                "max": part.max_ms,
            }
            shown.add_row(
                Text((row.value or _UNNAMED[by]) if whole else ""),
                name,
                f"{part.count:,}",
                f"{row.errors:,}" if whole else "",
                f"{row.timeouts:,}" if whole else "",
                *(format_ms(figures[share]) for share in shares),
            )
    print_table(shown)
