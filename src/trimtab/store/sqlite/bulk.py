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
        columns: how many there are.
        tail: what follows the values, such as an `ON CONFLICT` clause.
        shared: how many columns before those have one value for all rows, which is given once.
    """

    def __init__(self, head: str, columns: int, tail: str = "", *, shared: int = 0) -> None:
        values = [f"?{number}" for number in range(1, shared + 1)] + ["?"] * columns
        row = f"({', '.join(values)})"
        # Powers of two, so that a handful of prepared statements serves any number of rows.
        largest = (_MOST_VALUES // columns).bit_length() - 1
        self._statements: tuple[tuple[int, str], ...] = tuple(
            (1 << power, f"{head} VALUES {', '.join([row] * (1 << power))} {tail}")
            for power in range(largest, -1, -1)
        )

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
