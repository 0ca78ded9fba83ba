"""Cost of every user by hour and by day, as two long columns: what a ranking of users needs.

Where at least a quarter of all users were seen, the amounts lie by id, 8 bytes each, with a place
for everyone. Such rows are added as one long integer, in a small part of the time of user by user.
Sums of nano-dollars stay below 2**63, so that none spills into the place of the next.
"""

import sqlite3
from array import array
from collections.abc import Iterable, Mapping
from typing import Final

from trimtab.store.sqlite.tiers import Span

__all__ = ["add_costs", "read_costs"]

_READ: Final = (
    "SELECT dense, ids, amounts FROM costs WHERE tier_s = ? AND start_s >= ? AND start_s < ?"
)
_LEAST_SHARE: Final = 4  # one user in so many must have been seen
_BYTES: Final = 8


class _Costs:
    """Adds up rows. Users without any cost are remembered apart."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.free: set[int] = set()
        self._by_id: dict[int, int] = {}
        self._lanes = 0

    def add(self, row: tuple[int, bytes, bytes]) -> None:
        """A row of the table: dense, ids, amounts."""
        dense, ids, amounts = row
        if dense:
            self.free.update(array("I", ids))
            self._lanes += int.from_bytes(amounts, "little")
            return
        mine = self._by_id
        for user, amount in zip(array("I", ids), array("q", amounts), strict=True):
            mine[user] = mine.get(user, 0) + amount

    def total(self) -> dict[int, int]:
        """Nano-dollars by id, of everyone who was seen."""
        everyone = array("q", self._lanes.to_bytes((self.most + 1) * _BYTES, "little"))
        found = {user: amount for user, amount in enumerate(everyone) if amount}
        for user in self.free:
            found.setdefault(user, 0)
        for user, amount in self._by_id.items():
            found[user] = found.get(user, 0) + amount
        return found


def add_costs(db: sqlite3.Connection, costs: Mapping[tuple[int, int], Mapping[str, int]]) -> None:
    """Add nano-dollars by user to rows, named by tier and start.

    In a transaction of the caller's.
    """
    ids = _ids(db, {user for there in costs.values() for user in there})
    most = _most(db)
    for (tier_s, start_s), there in costs.items():
        found = _Costs(most)
        for row in db.execute(_READ, (tier_s, start_s, start_s + 1)):
            found.add(row)
        amounts = found.total()
        for user, amount in there.items():
            amounts[ids[user]] = amounts.get(ids[user], 0) + amount
        db.execute(
            "INSERT OR REPLACE INTO costs VALUES (?, ?, ?, ?, ?)",
            (tier_s, start_s, *_row(amounts, most)),
        )


def read_costs(db: sqlite3.Connection, spans: Iterable[Span]) -> dict[str, int]:
    """Nano-dollars of each user in some spans, the tail excluded."""
    found = _Costs(_most(db))
    for span in spans:
        for row in db.execute(_READ, span):
            found.add(row)
    amounts = found.total()
    names: dict[int, str] = dict(db.execute("SELECT id, user FROM users").fetchall())
    return {names[user]: amount for user, amount in amounts.items()}


def _row(amounts: dict[int, int], most: int) -> tuple[int, bytes, bytes]:
    if len(amounts) * _LEAST_SHARE < most:
        return 0, array("I", amounts).tobytes(), array("q", amounts.values()).tobytes()
    everyone = array("q", bytes((most + 1) * _BYTES))
    for user, amount in amounts.items():
        everyone[user] = amount
    return (
        1,
        array("I", [u for u, amount in amounts.items() if not amount]).tobytes(),
        (everyone.tobytes()),
    )


def _most(db: sqlite3.Connection) -> int:
    """The largest id of a user."""
    return db.execute("SELECT ifnull(max(id), 0) FROM users").fetchone()[0]


def _ids(db: sqlite3.Connection, users: set[str]) -> dict[str, int]:
    db.executemany("INSERT OR IGNORE INTO users (user) VALUES (?)", [(user,) for user in users])
    return {
        user: db.execute("SELECT id FROM users WHERE user = ?", (user,)).fetchone()[0]
        for user in users
    }
