"""Writes the rollups, and reads what is not by row.

Each chunk of the projection leaves its samples in the *tail*, as one small row; when the tail is
long enough, all of it is added to the rows at once. So a row is rewritten once for thousands of
inferences, and whoever reads adds the tail to the rows.
"""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from trimtab.stats.histogram import merged_bytes
from trimtab.store.records import Dimension
from trimtab.store.sqlite.ladder_rows import ADD_LADDER_ROW, ladder_tail_rows
from trimtab.store.sqlite.prompt_rows import add_prompt_tail
from trimtab.store.sqlite.samples import (
    COST,
    MAXIMA,
    MEASURES,
    SUMS,
    NewSample,
    Sample,
    Total,
    by_value,
    decode_samples,
    encode_samples,
)
from trimtab.store.sqlite.spend_rows import add_spend_tail
from trimtab.store.sqlite.tiers import DAY_S, HOUR_S, MANY, ROLLUP_COLUMNS, Span, rows_of, start_of
from trimtab.store.sqlite.user_costs import add_costs

__all__ = ["Recent", "Tail", "add_samples", "closed_days", "prepare_rollups"]

_MOST_IN_TAIL: Final = 8_000
_BREATH: Final = 128  # rows after which the event loop may have the interpreter lock
_STRAGGLERS_S: Final = 2 * HOUR_S  # after midnight, inferences of the day before still end

_ADD_ROLLUP: Final = (
    f"INSERT INTO rollups ({', '.join(ROLLUP_COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(ROLLUP_COLUMNS))}) "
    "ON CONFLICT (tier_s, dimension, start_s, value) DO UPDATE SET "
    + ", ".join(
        [f"{name} = {name} + excluded.{name}" for name in SUMS]
        + [f"{name} = max({name}, excluded.{name})" for name in MAXIMA]
        + [f"{name} = merged({name}, excluded.{name})" for name in MEASURES]
    )
)
_HOURS: Final = (
    f"SELECT value, {', '.join((*SUMS, *MAXIMA, *MEASURES))} FROM rollups "  # noqa: S608
    "WHERE tier_s = ? AND dimension = ? AND start_s >= ? AND start_s < ?"
)


# Drawn and not counted up: a rebuild, which begins anew, must not come to the same stamps again.
_STAMP: Final = "UPDATE days SET closed = random() | 1 WHERE start_s = ?"


def prepare_rollups(db: sqlite3.Connection) -> None:
    """Make a connection able to add samples."""
    db.create_function("merged", 2, merged_bytes, deterministic=True)


def add_samples(db: sqlite3.Connection, samples: list[NewSample]) -> list[int]:
    """Put `samples` into the tail, and all of it into the rows if it has grown long.

    In a transaction of the caller's.

    Returns:
        Starts of the days that are closed by this, in UTC seconds.
    """
    if not samples:
        return []
    first, last, count = db.execute(
        "SELECT min(number), max(number), (SELECT count FROM tail ORDER BY number DESC LIMIT 1) "
        "FROM tail"
    ).fetchone()
    number = 0 if last is None else last + count
    db.execute("INSERT INTO tail VALUES (?, ?, ?)", (number, len(samples), encode_samples(samples)))
    if number + len(samples) - (first or 0) >= _MOST_IN_TAIL:
        return _add_tail(db)
    return []


class Recent:
    """Samples, sorted out by value once for each dimension that is asked for; for any thread.

    Attributes:
        samples: all of them.
    """

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples
        self._by_value: dict[Dimension, dict[str, list[Sample]]] = {}

    def of(
        self, dimension: Dimension, span: Span, values: Collection[str] | None
    ) -> Iterator[tuple[str, list[Sample]]]:
        """Values (of `values`, if any are named) with their samples of a time, if there are any."""
        there = self._by_value.get(dimension)
        if there is None:
            there = self._by_value[dimension] = by_value(self.samples, dimension)
        for value in there if values is None else there.keys() & set(values):
            found = [
                sample for sample in there[value] if span.since_s <= sample.started_s < span.until_s
            ]
            if found:
                yield value, found


class Tail:
    """What is not in the rows yet, decoded once for as long as nothing is projected."""

    def __init__(self) -> None:
        self._seen: tuple[object, Recent] = (None, Recent([]))

    def read(self, db: sqlite3.Connection) -> Recent:
        """The samples, in a transaction of the caller's; from any thread."""
        bounds = db.execute("SELECT min(number), max(number), count(*) FROM tail").fetchone()
        state = (bounds, db.execute("SELECT writer, seq, hash FROM cursors").fetchall())
        before, recent = self._seen
        if before != state:
            recent = Recent(read_tail(db))
            self._seen = (state, recent)
        return recent


def read_tail(db: sqlite3.Connection) -> list[Sample]:
    """Samples that are not in the rows yet."""
    found: list[Sample] = []
    for (blob,) in db.execute("SELECT samples FROM tail ORDER BY number"):
        found += decode_samples(blob)
    return found


def closed_days(db: sqlite3.Connection) -> dict[int, int]:
    """Starts of the days that users, keys and teams have rows of, in UTC seconds, with a stamp.

    The stamp is another one as soon as any row of the day is, so what was read of a day is still
    so as long as its stamp is the same.
    """
    return dict(db.execute("SELECT start_s, closed FROM days WHERE closed").fetchall())


def _add_tail(db: sqlite3.Connection) -> list[int]:
    samples = read_tail(db)
    closed = closed_days(db)
    db.executemany(_ADD_ROLLUP, _breathing(list(rows_of(samples, closed=closed))))
    costs = _costs_of(samples, closed)
    add_costs(db, costs)
    touched = {start_of(start_s, DAY_S) for _, start_s in costs}
    db.executemany("INSERT OR IGNORE INTO days VALUES (?, 0)", [(day_s,) for day_s in touched])
    for day_s in touched & closed.keys():
        db.execute(_STAMP, (day_s,))
    db.execute("DELETE FROM tail")
    db.executemany(ADD_LADDER_ROW, _breathing(ladder_tail_rows(db)))
    add_spend_tail(db)
    add_prompt_tail(db)
    newest_s = max(sample.started_s for sample in samples)
    found = db.execute(
        "SELECT start_s FROM days WHERE NOT closed AND start_s <= ?",
        (newest_s - DAY_S - _STRAGGLERS_S,),
    )
    ended = [day_s for (day_s,) in found]
    for day_s in ended:
        _close_day(db, day_s)
    return ended


def _breathing(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(rows):
        if number % _BREATH == 0:
            time.sleep(0)
        yield row


def _costs_of(
    samples: list[Sample], closed: Collection[int]
) -> dict[tuple[int, int], dict[str, int]]:
    """Nano-dollars of each user, by tier and start of the row."""
    places: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for sample in samples:
        started_s, user = sample.started_s, sample.user
        place = places[HOUR_S, started_s - started_s % HOUR_S]
        place[user] = place.get(user, 0) + sample.sums[COST]
    for (_, hour_s), costs in list(places.items()):
        day_s = start_of(hour_s, DAY_S)
        if day_s in closed:
            place = places[DAY_S, day_s]
            for user, cost in costs.items():
                place[user] = place.get(user, 0) + cost
    return places


def _close_day(db: sqlite3.Connection, day_s: int) -> None:
    """Make the rows by day of users, keys and teams from those by hour."""
    for dimension in MANY:
        totals: defaultdict[str, Total] = defaultdict(Total)
        for number, row in enumerate(db.execute(_HOURS, (HOUR_S, dimension, day_s, day_s + DAY_S))):
            totals[row[0]].add_rows([row[1:]])
            if number % _BREATH == 0:
                time.sleep(0)
        rows = [(DAY_S, dimension, day_s, value, *total.row()) for value, total in totals.items()]
        db.executemany(_ADD_ROLLUP, _breathing(rows))
        if dimension == "user":
            costs = {user: total.cost_nanousd for user, total in totals.items()}
            add_costs(db, {(DAY_S, day_s): costs})
    db.execute(_STAMP, (day_s,))
