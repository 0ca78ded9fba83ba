"""Writes and reads what a bill is explained by: a tail and rows, as with the other rollups.

Belongs inside a transaction of the caller's.
"""

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from operator import add
from typing import Any, Final

import msgspec

from trimtab.store.records import SpendFacts, Visits
from trimtab.store.sqlite.bulk import BulkInsert
from trimtab.store.sqlite.spend_chunk import (
    SPEND_FIGURES,
    SPEND_KEYS,
    Chunk,
    Figures,
    SpendChunk,
    SpendKey,
    add_figures,
    facts_of,
)
from trimtab.store.sqlite.visit_rows import add_visits, count_visits
from trimtab.types.clock import NS_PER_S

__all__ = ["add_spend", "add_spend_tail", "read_spend", "read_visits"]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Chunk).decode

_COLUMNS: Final = ("start_s", *SPEND_KEYS, *SPEND_FIGURES)
_ADD: Final = BulkInsert(
    f"INSERT INTO spend ({', '.join(_COLUMNS)})",
    len(_COLUMNS),
    f"ON CONFLICT (start_s, {', '.join(SPEND_KEYS)}) DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in SPEND_FIGURES),
)
_SUMS: Final = (
    f"SELECT {', '.join(SPEND_KEYS)}, {', '.join(f'sum({name})' for name in SPEND_FIGURES)} "  # noqa: S608 - our own names
    f"FROM spend WHERE start_s >= ? AND start_s < ? GROUP BY {', '.join(SPEND_KEYS)}"
)
_FLAGS_AT: Final = SPEND_KEYS.index("repeat")
_NOTHING: Final = (0,) * len(SPEND_FIGURES)


def add_spend(db: sqlite3.Connection, spend: SpendChunk) -> None:
    """Put a chunk into the tail, if there is anything in it."""
    chunk = spend.content()
    if chunk.rows or chunk.visits:
        db.execute("INSERT INTO spend_tail (chunk) VALUES (?)", (_encode(chunk),))


def add_spend_tail(db: sqlite3.Connection) -> None:
    """Add the tail to the rows; it is empty then."""
    chunks = _tail(db)
    totals = add_figures(row for chunk in chunks for row in chunk.rows)
    _ADD.run(db, [(hour_s, *key, *figures) for (hour_s, key), figures in totals.items()])
    add_visits(db, {visit for chunk in chunks for visit in chunk.visits})
    db.execute("DELETE FROM spend_tail")


def read_spend(db: sqlite3.Connection, edges_s: Sequence[int]) -> list[SpendFacts]:
    """Facts between each two neighbours of some full hours, the tail included."""
    totals: defaultdict[tuple[int, SpendKey], Figures] = defaultdict(lambda: _NOTHING)
    for place, (since_s, until_s) in enumerate(pairwise(edges_s)):
        for row in db.execute(_SUMS, (since_s, until_s)):
            keys = row[: len(SPEND_KEYS)]
            key: Any = (*keys[:_FLAGS_AT], *map(bool, keys[_FLAGS_AT:]))
            totals[place, key] = row[len(SPEND_KEYS) :]
    for chunk in _tail(db):
        for hour_s, key, figures in chunk.rows:
            place = bisect_right(edges_s, hour_s) - 1
            if 0 <= place < len(edges_s) - 1:
                totals[place, key] = tuple(map(add, totals[place, key], figures))
    return [
        facts_of(key, figures, (edges_s[place] * NS_PER_S, edges_s[place + 1] * NS_PER_S))
        for (place, key), figures in sorted(totals.items())
        if any(figures)
    ]


def read_visits(db: sqlite3.Connection, edges_s: Sequence[int]) -> list[Visits]:
    """Users and sessions between each two neighbours of some full hours, the tail included."""
    recent = {visit for chunk in _tail(db) for visit in chunk.visits}
    found = count_visits(db, recent, edges_s)
    return [
        Visits(
            since_ns=edges_s[place] * NS_PER_S,
            until_ns=edges_s[place + 1] * NS_PER_S,
            user_class=user_class,
            users=users,
            sessions=sessions,
        )
        for (place, user_class), (users, sessions) in sorted(found.items())
    ]


def _tail(db: sqlite3.Connection) -> list[Chunk]:
    return [
        _decode(chunk) for (chunk,) in db.execute("SELECT chunk FROM spend_tail ORDER BY number")
    ]
