"""`trimtab latency`: how long people wait."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder, Since

if TYPE_CHECKING:
    from trimtab.insights.latency import LatencyRow

__all__ = ["latency", "print_latency"]


class Grouping(StrEnum):
    """What to split by."""

    total = "total"
    model = "model"
    route = "route"
    user = "user"


def latency(
    by: Annotated[Grouping, typer.Option(help="What to split by.")] = Grouping.model,
    since: Since = "24h",
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
    rows = latency_by(reader, by.value, since_ns=since_ns, until_ns=now_ns)
    if as_json:
        print_json(rows)
    else:
        print_latency(rows, by.value)


def print_latency(rows: "list[LatencyRow]", by: str) -> None:
    """Print two lines for each row: the whole answer, and the time to the first token."""
    from rich.text import Text

    from trimtab.cli.output import console, format_ms, table

    if not rows:
        console.print("No requests in this time. Send one to the gateway, then ask again.")
        return
    shown = table(
        f"Latency by {by}, timeouts counted at their deadline",
        by, "", "count", "errors", "timeouts", "P50", "P90", "P95", "P99", "P99.9", "max",
    )  # fmt: skip
    for row in rows:
        for name, part in (("answer", row.total), ("first token", row.ttft)):
            whole = name == "answer"
            shown.add_row(
                Text((row.value or "(none)") if whole else ""),
                name,
                f"{part.count:,}",
                f"{row.errors:,}" if whole else "",
                f"{row.timeouts:,}" if whole else "",
                *(
                    format_ms(value)
                    for value in (
                        part.p50_ms, part.p90_ms, part.p95_ms, part.p99_ms, part.p999_ms,
                        part.max_ms,
                    )
                ),
            )  # fmt: skip
    console.print(shown)
