"""What ladders did, as a table and in words, and which models are left alone."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from trimtab.cli.output import console, format_ms, print_table, table
from trimtab.insights.breakers import LeftAlone
from trimtab.insights.ladder import LadderRow
from trimtab.insights.ladder_words import BEFORE, LOWER_BOUND, SEEN, in_words
from trimtab.insights.latency import Percentiles

__all__ = ["print_breakers", "print_ladder"]

_UNNAMED: Final = "(none)"


def print_breakers(alone: Sequence[LeftAlone]) -> None:
    """One line for each breaker that is not closed."""
    for one in alone:
        console.print(Text(f"{one.words}."))
    if alone:
        console.print()


def print_ladder(rows: Sequence[LadderRow]) -> None:
    """For each route two lines with and without its ladder, and its rates and costs in words."""
    if not rows:
        console.print("No requests in this time. Send one to the gateway, then ask again.")
        return
    shown = table(
        "The ladder, by route", "route", "", "", "count", "P50", "P95", "P99", "P99.9", "failed"
    )
    for column in shown.columns[1:3]:
        column.justify = "left"
    for row in rows:
        for number, line in enumerate(_lines(row)):
            shown.add_row(Text("" if number else row.route or _UNNAMED), *line)
    print_table(shown)
    for row in rows:
        console.print(Text(f"{row.route or _UNNAMED}: {in_words(row)}"))
    console.print(Text(LOWER_BOUND))


def _lines(row: LadderRow) -> Iterator[tuple[str, ...]]:
    """Answers without and with the ladder, and where anything was streamed, first tokens."""
    yield ("answer", BEFORE, *_figures(row.first.latency), f"{row.first.failed_share:.1%}")
    yield ("", SEEN, *_figures(row.seen.latency), f"{row.seen.failed_share:.1%}")
    if row.first.ttft.count or row.seen.ttft.count:
        yield ("first token", BEFORE, *_figures(row.first.ttft), "")
        yield ("", SEEN, *_figures(row.seen.ttft), "")


def _figures(timed: Percentiles) -> tuple[str, ...]:
    found = (timed.p50_ms, timed.p95_ms, timed.p99_ms, timed.p999_ms)
    return (f"{timed.count:,}", *map(format_ms, found))
