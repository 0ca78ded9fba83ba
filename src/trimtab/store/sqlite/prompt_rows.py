"""Writes and reads what versions of prompts did: a tail and rows, as with the other rollups.

Belongs inside a transaction of the caller's, on a connection that `prepare_rollups` has seen.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from trimtab.store.records import PromptFacts
from trimtab.store.sqlite.prompt_chunk import (
    PROMPT_KEYS,
    PROMPT_MEASURES,
    PROMPT_SUMS,
    PromptChunk,
    PromptKey,
    PromptRow,
    PromptTotal,
)
from trimtab.store.sqlite.tiers import DAY_S, HOUR_S, cover, start_of
from trimtab.types.clock import NS_PER_S

__all__ = ["add_prompt_tail", "add_prompts", "read_prompts"]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[PromptRow]).decode

_TIERS: Final = (DAY_S, HOUR_S)
_FIGURES: Final = (*PROMPT_SUMS, *PROMPT_MEASURES)
_COLUMNS: Final = ("tier_s", "start_s", *PROMPT_KEYS, *_FIGURES)
_ADD: Final = (
    f"INSERT INTO prompts ({', '.join(_COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (tier_s, start_s, {', '.join(PROMPT_KEYS)}) DO UPDATE SET "
    + ", ".join(
        [f"{name} = {name} + excluded.{name}" for name in PROMPT_SUMS]
        + [f"{name} = merged({name}, excluded.{name})" for name in PROMPT_MEASURES]
    )
)
_IN_SPAN: Final = (
    f"SELECT start_s, {', '.join((*PROMPT_KEYS, *_FIGURES))} FROM prompts "  # noqa: S608 - our own names
    "WHERE tier_s = ? AND start_s >= ? AND start_s < ? AND (? IS NULL OR prompt = ?)"
)
_FIGURES_AT: Final = 1 + len(PROMPT_KEYS)

_Place = tuple[int, PromptKey]
"""Start of a row, or of a step, in UTC seconds, and whose it is."""


def add_prompts(db: sqlite3.Connection, prompts: PromptChunk) -> None:
    """Put a chunk into the tail, if there is anything in it."""
    rows = prompts.rows()
    if rows:
        db.execute("INSERT INTO prompt_tail (rows) VALUES (?)", (_encode(rows),))


def add_prompt_tail(db: sqlite3.Connection) -> None:
    """Add the tail to the rows; it is empty then."""
    rows = _tail(db)
    if not rows:
        return
    db.execute("DELETE FROM prompt_tail")
    for tier_s in _TIERS:
        found: defaultdict[_Place, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            found[start_of(row.start_s, tier_s), row.key].append((*row.sums, *row.measures))
        db.executemany(
            _ADD,
            [
                (tier_s, start_s, *key, *_total(some).row())
                for (start_s, key), some in found.items()
            ],
        )


def read_prompts(
    db: sqlite3.Connection, span_s: tuple[int, int], *, step_s: int, prompt: str | None
) -> list[PromptFacts]:
    """Facts between two full hours, the tail included.

    Args:
        db: the rollups.
        span_s: UTC seconds; multiples of the step, if there is one.
        step_s: a multiple of an hour; 0 for the whole range at once.
        prompt: which one; None for all.
    """
    found: defaultdict[_Place, list[tuple[Any, ...]]] = defaultdict(list)
    days: dict[_Place, list[int]] = {}
    for start_s, key, figures in _rows(db, span_s, step_s=step_s, prompt=prompt):
        place = (start_of(start_s, step_s) if step_s else span_s[0], key)
        found[place].append(figures)
        days.setdefault(place, []).append(start_of(start_s, DAY_S) * NS_PER_S)
    length_s = step_s or span_s[1] - span_s[0]
    return [
        _total(found[place]).facts(
            place[1],
            (place[0] * NS_PER_S, (place[0] + length_s) * NS_PER_S),
            (min(days[place]), max(days[place])),
        )
        for place in sorted(found)
    ]


def _rows(
    db: sqlite3.Connection, span_s: tuple[int, int], *, step_s: int, prompt: str | None
) -> Iterator[tuple[int, PromptKey, tuple[Any, ...]]]:
    """Start, key and figures of each row, and of those in the tail."""
    tiers = [tier_s for tier_s in _TIERS if step_s % tier_s == 0]
    for span in cover("route", *span_s, closed=(), tiers=tiers):
        for row in db.execute(_IN_SPAN, (*span, prompt, prompt)):
            yield row[0], row[1:_FIGURES_AT], row[_FIGURES_AT:]
    for row in _tail(db):
        if span_s[0] <= row.start_s < span_s[1] and prompt in {None, row.key[0]}:
            yield row.start_s, row.key, (*row.sums, *row.measures)


def _total(rows: list[tuple[Any, ...]]) -> PromptTotal:
    total = PromptTotal()
    total.add_rows(rows)
    return total


def _tail(db: sqlite3.Connection) -> list[PromptRow]:
    found: list[PromptRow] = []
    for (rows,) in db.execute("SELECT rows FROM prompt_tail ORDER BY number"):
        found += _decode(rows)
    return found
