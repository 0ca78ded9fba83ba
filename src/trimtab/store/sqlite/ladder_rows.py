"""Writes and reads what ladders did: a tail and rows, as with the other rollups.

Belongs inside a transaction of the caller's, on a connection that `prepare_rollups` has seen.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from trimtab.store.records import LadderSummary
from trimtab.store.sqlite.ladder import (
    LADDER_KEYS,
    LADDER_MEASURES,
    LADDER_SUMS,
    LadderKey,
    LadderSample,
    LadderTotal,
    totals_of,
)
from trimtab.store.sqlite.tiers import DAY_S, Span, tiers_of_step

__all__ = ["ADD_LADDER_ROW", "add_ladder", "ladder_tail_rows", "read_ladder"]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[LadderSample]).decode

_FIGURES: Final = (*LADDER_SUMS, *LADDER_MEASURES)
_COLUMNS: Final = ("tier_s", "start_s", *LADDER_KEYS, *_FIGURES)
ADD_LADDER_ROW: Final = (
    f"INSERT INTO ladder ({', '.join(_COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(_COLUMNS))}) "
    "ON CONFLICT (tier_s, start_s, route, cause, rung) DO UPDATE SET "
    + ", ".join(
        [f"{name} = {name} + excluded.{name}" for name in LADDER_SUMS]
        + [f"{name} = merged({name}, excluded.{name})" for name in LADDER_MEASURES]
    )
)
_IN_SPAN: Final = (
    f"SELECT {', '.join((*LADDER_KEYS, *_FIGURES))} FROM ladder "  # noqa: S608 - our own names
    "WHERE tier_s = ? AND start_s >= ? AND start_s < ?"
)


def add_ladder(db: sqlite3.Connection, samples: list[LadderSample]) -> None:
    """Put samples into the tail, if there are any."""
    if samples:
        db.execute("INSERT INTO ladder_tail (samples) VALUES (?)", (_encode(samples),))


def ladder_tail_rows(db: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """What the tail adds, for `ADD_LADDER_ROW`; the tail is empty then."""
    samples = _tail(db)
    db.execute("DELETE FROM ladder_tail")
    return [
        (tier_s, start_s, *key, *total.row())
        for tier_s in tiers_of_step("route", DAY_S)
        for (start_s, key), total in totals_of(samples, tier_s).items()
    ]


def read_ladder(db: sqlite3.Connection, spans: Iterable[Span]) -> list[LadderSummary]:
    """What some spans that follow each other come to, the tail included."""
    totals: defaultdict[LadderKey, LadderTotal] = defaultdict(LadderTotal)
    tail = _tail(db)
    for span in spans:
        for row in db.execute(_IN_SPAN, span):
            totals[row[: len(LADDER_KEYS)]].add_row(row[len(LADDER_KEYS) :])
        for sample in tail:
            if span.since_s <= sample.started_s < span.until_s:
                totals[sample.key].add_sample(sample)
    return [totals[key].summary(key) for key in sorted(totals)]


def _tail(db: sqlite3.Connection) -> list[LadderSample]:
    found: list[LadderSample] = []
    for (samples,) in db.execute("SELECT samples FROM ladder_tail ORDER BY number"):
        found += _decode(samples)
    return found
