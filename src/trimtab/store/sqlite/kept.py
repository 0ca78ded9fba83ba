"""What closed days come to, kept between questions: they are most of a month and hardly change.

A question names its days with their stamps, which are drawn anew whenever a row of the day
changes, in the same transaction. So what is found is always right, whichever process wrote, and
what is not right any more is never asked for again and makes room for the next.
"""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Hashable, Mapping
from typing import Any, Final

from trimtab.store.sqlite.rollup_rows import RowQuery, add_rows
from trimtab.store.sqlite.samples import Total
from trimtab.store.sqlite.tiers import Span

__all__ = ["KeptTotals"]

# Packed, with the two histograms of a busy model or user, a total has some 3 kB: 6 MB for so many.
_MOST_TOTALS: Final = 2_000

_Days = tuple[tuple[Span, int], ...]  # whole closed days, each with its stamp
_Totals = dict[Any, Total | None]  # by value or by start; None of a value that has no rows


class KeptTotals:
    """Totals by question, for any thread. What is here is not changed any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, _Totals] = {}  # the one used last is the last
        self._count = 0

    def of(self, db: sqlite3.Connection, asked: RowQuery, days: _Days) -> dict[Any, Total]:
        """What the rows of closed days come to, by value or by start. Not to be changed."""
        if not days:
            return {}
        spans = [span for span, _ in days]
        what = (asked.dimension, frozenset(asked.measures), days)
        if asked.values is None or asked.step_s:
            question = (what, asked.step_s, tuple(asked.values or ()))
            known = self._get(question) or self._add(question, _read(db, asked, spans))
        else:  # whatever is known of other values than the last time
            known = self._get(what)
            missing = [value for value in asked.values if value not in known]
            if missing:
                new = _read(db, asked._replace(values=missing), spans)
                known |= self._add(what, {value: new.get(value) for value in missing})
            known = {value: known[value] for value in asked.values}
        return {key: total for key, total in known.items() if total is not None}

    def _get(self, question: Hashable) -> _Totals:
        with self._lock:
            found = self._answers.pop(question, None)
            if found is None:
                return {}
            self._answers[question] = found
            return dict(found)

    def _add(self, question: Hashable, totals: Mapping[Any, Total | None]) -> _Totals:
        """Keep more totals of a question; what was not used for longest makes room."""
        with self._lock:
            there = self._answers.pop(question, {})
            self._count -= len(there)
            self._answers[question] = {**there, **totals}
            self._count += len(self._answers[question])
            while self._count > _MOST_TOTALS:
                self._count -= len(self._answers.pop(next(iter(self._answers))))
        return dict(totals)


def _read(db: sqlite3.Connection, asked: RowQuery, spans: list[Span]) -> dict[Any, Total]:
    totals: defaultdict[Any, Total] = defaultdict(Total)
    add_rows(totals, db, asked, spans=spans)
    for total in totals.values():
        total.pack()
    return dict(totals)
