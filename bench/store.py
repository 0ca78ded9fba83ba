"""The store at scale: `python -m bench.store`; writes bench/STORE.md with --write."""

import argparse
import os
import platform
import resource
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bench.store_fill import Filled, fill
from bench.store_questions import Check, Question, checks, questions
from bench.store_traffic import Shape
from trimtab.store.protocol import Reader
from trimtab.store.sqlite import open_reader
from trimtab.types.clock import NS_PER_S, SystemClock

__all__ = ["main"]

_ROOT: Final = Path(__file__).parents[1]
_PAGE: Final = _ROOT / "bench" / "STORE.md"
_INGEST: Final = 200_000
_UNTIL_S: Final = 1_795_441_020  # 2026-11-23 13:37 UTC


class Timed(NamedTuple):
    """Milliseconds of one question: with a reader just opened, then of repetitions."""

    question: Question
    first_ms: float
    median_ms: float
    max_ms: float


class Checked(NamedTuple):
    """A question and the same of the rows: how long each took, and how far they are apart."""

    name: str
    reader_ms: float
    sql_ms: float
    difference: float


def ask_all(folder: Path, until_ns: int, repetitions: int) -> Iterator[Timed]:
    """Time every question."""
    for question in questions(until_ns):
        reader = open_reader(folder, SystemClock())
        first_ms = _timed_ms(question, reader)
        _timed_ms(question, reader)
        times = [_timed_ms(question, reader) for _ in range(repetitions)]
        yield Timed(question, first_ms, statistics.median(times), max(times))


def check_all(folder: Path, until_ns: int) -> Iterator[Checked]:
    """Hold answers against the rows."""
    reader = open_reader(folder, SystemClock())
    for check in checks(until_ns):
        yield _checked(check, reader, folder)


def main() -> None:
    """Fill, ask, check, print; exit 1 if an answer is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inferences", type=int, default=5_000_000)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--fresh", action="store_true", help="fill anew")
    parser.add_argument("--fill-only", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"write {_PAGE.name}")
    args = parser.parse_args()
    shape = Shape(args.inferences, 30, 10_000, _UNTIL_S)
    folder = _ROOT / ".bench" / f"store-{args.inferences}"
    filled = fill(folder, shape, fresh=args.fresh)
    if args.fill_only:
        return
    # How fast it fills is measured apart, because the machine is not kept quiet for a whole fill.
    most = min(_INGEST, shape.inferences // 5)
    ingest = fill(folder.with_name("store-ingest"), shape, fresh=True, most=most)
    until_ns = _UNTIL_S * NS_PER_S
    timed: list[Timed] = []
    for one in ask_all(folder, until_ns, args.repetitions):
        print(_row(one), flush=True)
        timed.append(one)
    checked = list(check_all(folder, until_ns))
    page = "\n".join(
        [*_report(filled, ingest, shape), *map(_row, timed), "", *_check_rows(checked), ""]
    )
    print(page)
    if args.write:
        _PAGE.write_text(page, encoding="utf-8")
    if any(one.difference > 0.01 for one in checked):
        sys.exit("An answer differs from the rows.")


def _timed_ms(question: Question, reader: Reader) -> float:
    begun = time.perf_counter()
    question.ask(reader)
    return (time.perf_counter() - begun) * 1_000


def _checked(check: Check, reader: Reader, folder: Path) -> Checked:
    begun = time.perf_counter()
    told = check.ask(reader)
    between = time.perf_counter()
    rows = check.sql(folder)
    ended = time.perf_counter()
    return Checked(
        check.name,
        (between - begun) * 1_000,
        (ended - between) * 1_000,
        check.compare(told, rows),
    )


def _report(filled: Filled, ingest: Filled, shape: Shape) -> Iterator[str]:
    each = ingest.inferences
    yield "# The store at scale"
    yield ""
    yield (
        f"`make bench-store`: {shape.inferences:,} inferences of {shape.users:,} users over "
        f"{shape.days} days, 20 models of 5 providers, written by the real writer and carried "
        f"over by the real projector. Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {platform.machine()}, {_cores()} cores."
    )
    yield ""
    yield (
        f"Filling, measured on the first {each:,} of them in a new folder, ledger and projection "
        "in turns. CPU is of the whole process; making up the records is not counted."
    )
    yield ""
    yield "| | inferences/s | CPU us/inference |"
    yield "|---|---|---|"
    both_s, both_cpu_s = (
        ingest.ledger_s + ingest.projection_s,
        ingest.ledger_cpu_s + ingest.projection_cpu_s,
    )
    for name, wall_s, cpu_s in (
        ("ledger: encode, chain, append, sync", ingest.ledger_s, ingest.ledger_cpu_s),
        ("projection: events and rollups", ingest.projection_s, ingest.projection_cpu_s),
        ("both, one after the other", both_s, both_cpu_s),
    ):
        yield f"| {name} | {each / wall_s:,.0f} | {cpu_s / each * 1e6:.1f} |"
    yield ""
    sizes = ", ".join(f"{name} {size:,.0f} MB" for name, size in filled.megabytes.items())
    bytes_each = sum(filled.megabytes.values()) * 1e6 / filled.inferences
    yield f"On the disk: {sizes}; {bytes_each:,.0f} bytes each."
    yield (
        f"Most memory: {filled.peak_megabytes:.0f} MB while filling, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB while asking "
        "(the checks over rows included)."
    )
    yield ""
    yield (
        "The first answer is that of a reader just opened, as a command has one; the median is "
        "that of a reader that was asked before, as the console has one: it keeps what closed "
        "days come to until one of their rows changes. A ranking reads its users in full; "
        "`spend users, all` and `latency by user` read everybody."
    )
    yield ""
    yield "| question | goal ms | median ms | max ms | first ms | |"
    yield "|---|---|---|---|---|---|"


def _row(one: Timed) -> str:
    verdict = "" if one.median_ms <= one.question.goal_ms else "not reached"
    return (
        f"| {one.question.name} | {one.question.goal_ms} | {one.median_ms:.1f} | "
        f"{one.max_ms:.1f} | {one.first_ms:.1f} | {verdict} |"
    )


def _check_rows(checked: list[Checked]) -> Iterator[str]:
    yield "| the same from the rows | reader ms | plain SQL ms | difference |"
    yield "|---|---|---|---|"
    for one in checked:
        differ = f"{one.difference:.2%}" if one.difference else "none"
        yield f"| {one.name} | {one.reader_ms:.1f} | {one.sql_ms:,.0f} | {differ} |"


def _cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
