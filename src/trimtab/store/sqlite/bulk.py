"""Many rows in few statements.

Python's SQLite gives up the interpreter lock at each row of an `executemany` and has to win it
back from the event loop each time. A statement with many rows gives it up once.
"""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

__all__ = ["BulkInsert"]

_MOST_VALUES: Final = 2_000  # in one statement; SQLite allows 32,766


class BulkInsert:
    """An insert that is made again and again, for a number of rows that varies.

    Args:
        head: the statement up to `VALUES`.
        columns: how many values each row has.
        tail: what follows the values, such as an `ON CONFLICT` clause.
        shared: how many values all rows have in common; they are given once, before the rows.
        order: which value each column of the head takes, the shared ones counted first; by
            default in their order.
        fine: below so many rows there are more sizes of statements, and so fewer are needed. Each
            is kept prepared, in 400 bytes a row of few columns.
    """

    def __init__(
        self,
        head: str,
        columns: int,
        tail: str = "",
        *,
        shared: int = 0,
        order: Sequence[int] | None = None,
        fine: int = 0,
    ) -> None:
        self._columns = columns
        self._shared = shared
        self._order = range(shared + columns) if order is None else order
        # Powers of two, so that a handful of prepared statements serves any number of rows.
        powers = range((_MOST_VALUES // columns).bit_length())
        sizes = {1 << power for power in powers}
        quarters = {count << power >> 2 for power in powers for count in (5, 6, 7)}
        sizes |= {size for size in quarters if size < fine}
        rows = [self._row(number) for number in range(max(sizes))]
        self._statements: tuple[tuple[int, str], ...] = tuple(
            (size, f"{head} VALUES {', '.join(rows[:size])} {tail}")
            for size in sorted(sizes, reverse=True)
        )

    def _row(self, number: int) -> str:
        own = 1 + number * self._columns
        values = [value + (1 if value < self._shared else own) for value in self._order]
        return f"({', '.join(f'?{value}' for value in values)})"

    def run(
        self,
        db: sqlite3.Connection,
        rows: Sequence[Sequence[Any]],
        shared: Sequence[Any] = (),
    ) -> None:
        """Insert `rows`, in their order, `shared` before each. Belongs inside a transaction."""
        done, count = 0, len(rows)
        for size, statement in self._statements:
            while count - done >= size:
                some = rows[done : done + size]
                db.execute(statement, [*shared, *chain.from_iterable(some)])
                done += size
