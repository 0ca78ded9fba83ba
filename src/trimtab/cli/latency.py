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
    by: Annotated[
        Grouping | None, typer.Option(help="What to split by.", show_default="model")
    ] = None,
    since: Since = "24h",
    top: Top = None,
    ladder: Annotated[
        bool,
        typer.Option(
            "--ladder",
            help="Only what retries, fallbacks, hedges and the response cache did, by route.",
        ),
    ] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Percentiles of latency and time to first token; timeouts count at their deadline."""
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.insights.breakers import left_alone
    from trimtab.insights.ladder import ladder_by_route
    from trimtab.insights.latency import latency_by
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    if ladder:
        _check_ladder_options(by, top)
    grouping = by or Grouping.model
    now_ns = SystemClock.wall_ns()
    reader = open_reader(find_project_file(project))
    since_ns = now_ns - parse_window_ns(since)
    few = top_of(top, as_json=as_json)
    if as_json and not ladder:
        print_json(latency_by(reader, grouping.value, since_ns=since_ns, until_ns=now_ns, top=few))
        return
    alone, routes = left_alone(reader, now_ns), ladder_by_route(reader, since_ns, now_ns)
    if as_json:
        print_json({"breakers": alone, "routes": routes})
        return
    from trimtab.cli.ladder_table import print_breakers, print_ladder

    print_breakers(alone)
    if ladder:
        print_ladder(routes)
        return
    rows = latency_by(reader, grouping.value, since_ns=since_ns, until_ns=now_ns, top=few)
    print_latency(rows, grouping.value)
    if grouping is Grouping.user and len(rows) == few:
        print(f"These are the {few} costliest users, the busiest first; see all with --top 0.")
    if any(row.used for row in routes):
        print()
        print_ladder(routes)


def _check_ladder_options(by: Grouping | None, top: int | None) -> None:
    from trimtab.errors import UsageError

    if by not in {None, Grouping.route}:
        raise UsageError(
            f"--ladder tells of routes, so it cannot be split by {by}. Leave out --by, or leave "
            "out --ladder."
        )
    if top is not None:
        raise UsageError("--top is about users, and --ladder tells of routes. Leave out one.")


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
