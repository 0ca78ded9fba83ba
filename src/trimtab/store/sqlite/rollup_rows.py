"""Reads rows of the rollups, and adds them up by value or by step."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from trimtab.store.records import Dimension, Measure
from trimtab.store.sqlite.samples import MAXIMA, MEASURES, SUMS, Total
from trimtab.store.sqlite.tiers import Span

__all__ = ["RowQuery", "add_rows"]

_IN_SPAN: Final = "tier_s = ? AND dimension = ? AND start_s >= ? AND start_s < ?"
_MOST_AT_ONCE: Final = 1_000  # starts or values named in one statement
_VALUE: Final = len((*SUMS, *MAXIMA, *MEASURES))
_START: Final = _VALUE + 1


class RowQuery(NamedTuple):
    """Which rows are wanted, of which time apart.

    Attributes:
        values: of the dimension; None for all.
        measures: whose histograms are read.
        step_s: add up by steps of so many seconds, not by value; 0 for by value.
    """

    dimension: Dimension
    values: Sequence[str] | None
    measures: Collection[Measure]
    step_s: int = 0


def add_rows(
    totals: Mapping[Any, Total], db: sqlite3.Connection, asked: RowQuery, *, spans: Sequence[Span]
) -> None:
    """Add the rows of some spans to totals by value, or by start of the step.

    Args:
        totals: has a total for any key, as a `defaultdict` does.
        db: the rollups.
        asked: which rows.
        spans: of whichever tiers.
    """
    found: defaultdict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    step_s = asked.step_s
    for row in _rows(db, asked, spans):
        found[row[_START] // step_s * step_s if step_s else row[_VALUE]].append(row)
    for key, rows in found.items():
        totals[key].add_rows(rows, asked.measures)


def _rows(
    db: sqlite3.Connection, asked: RowQuery, spans: Sequence[Span]
) -> Iterator[tuple[Any, ...]]:
    if asked.values is None:
        sql = _select(asked.measures, _IN_SPAN)
        for tier_s, since_s, until_s in spans:
            yield from db.execute(sql, (tier_s, asked.dimension, since_s, until_s))
        return
    starts: defaultdict[int, list[int]] = defaultdict(list)
    for tier_s, since_s, until_s in spans:
        starts[tier_s] += range(since_s, until_s, tier_s)
    # One statement that names many places takes half the time of one for each place.
    for tier_s, there in starts.items():
        for some in _batches(there):
            for values in _batches(asked.values):
                where = f"start_s IN ({_marks(some)}) AND value IN ({_marks(values)})"
                sql = _select(asked.measures, f"tier_s = ? AND dimension = ? AND {where}")
                yield from db.execute(sql, (tier_s, asked.dimension, *some, *values))


def _select(measures: Collection[Measure], where: str) -> str:
    """Sums, maxima, measures, value and start; measures that are not wanted are not read."""
    wanted = [name if name in measures else "NULL" for name in MEASURES]
    columns = (*SUMS, *MAXIMA, *wanted, "value", "start_s")
    return f"SELECT {', '.join(columns)} FROM rollups WHERE {where}"  # noqa: S608 - our own names


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(items), _MOST_AT_ONCE):
        yield items[at : at + _MOST_AT_ONCE]


def _marks(items: Sequence[Any]) -> str:
    return ", ".join("?" * len(items))
