"""Cost of every user by hour and by day, as two long columns: what a ranking of users needs.

Where at least a quarter of all users were seen, the amounts lie by id, 8 bytes each, with a place
for everyone. Such rows are added as one long integer, in a small part of the time of user by user.
Sums of nano-dollars stay below 2**63, so that none spills into the place of the next.
"""

import sqlite3
import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from trimtab.store.sqlite.tiers import Span, apart

__all__ = ["UserCosts", "add_costs", "user_ids"]

_READ: Final = (
    "SELECT dense, ids, amounts FROM costs WHERE tier_s = ? AND start_s >= ? AND start_s < ?"
)
_LEAST_SHARE: Final = 4  # one user in so many must have been seen
_BYTES: Final = 8
_MOST_USERS: Final = 200_000  # of whom names and amounts are kept between questions: 20 MB each
_MOST_KEPT: Final = 4  # sums of days: so many ranges are looked at in turns


class _Costs:
    """Adds up rows. Users without any cost are remembered apart."""

    def __init__(self) -> None:
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

    def copy(self) -> "_Costs":
        """The same, to add more to."""
        twin = _Costs()
        twin.free = set(self.free)
        twin._by_id = dict(self._by_id)
        twin._lanes = self._lanes
        return twin

    def total(self) -> dict[int, int]:
        """Nano-dollars by id, of everyone who was seen."""
        places = -(-self._lanes.bit_length() // (8 * _BYTES))
        everyone = array("q", self._lanes.to_bytes(places * _BYTES, "little"))
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
    ids = user_ids(db, {user for there in costs.values() for user in there})
    most = _most(db)
    for (tier_s, start_s), there in costs.items():
        found = _sum_of(db, [Span(tier_s, start_s, start_s + 1)])
        amounts = found.total()
        for user, amount in there.items():
            amounts[ids[user]] = amounts.get(ids[user], 0) + amount
        db.execute(
            "INSERT OR REPLACE INTO costs VALUES (?, ?, ?, ?, ?)",
            (tier_s, start_s, *_row(amounts, most)),
        )


class _Kept(NamedTuple):
    """What is so as long as no closed day changes, which includes that nothing is made anew."""

    closed: dict[int, int]
    names: dict[int, str]
    days: dict[tuple[Span, ...], _Costs]


class UserCosts:
    """Reads costs; what closed days come to, and who is who, is kept between questions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept = _Kept({}, {}, {})

    def read(
        self, db: sqlite3.Connection, spans: Sequence[Span], closed: dict[int, int]
    ) -> dict[str, int]:
        """Nano-dollars of each user in some spans, the tail excluded; `closed` as `closed_days`."""
        whole, left = apart(spans, closed)
        with self._lock:
            if not closed or self._kept.closed != closed:
                self._kept = _Kept(closed, {}, {})
            kept = self._kept
            names = _names(db, kept.names)
            days = tuple(whole)
            found = kept.days.get(days)
            if found is None:
                found = _sum_of(db, whole)
                if len(names) <= _MOST_USERS:
                    kept.days[days] = found
                    if len(kept.days) > _MOST_KEPT:
                        kept.days.pop(next(iter(kept.days)))
            found = found.copy()
        for span in left:
            _add_span(found, db, span)
        return {names[user]: amount for user, amount in found.total().items()}


def _names(db: sqlite3.Connection, known: dict[int, str]) -> dict[int, str]:
    """Users by id; `known` is brought up to date, as far as it may be kept."""
    last = next(reversed(known), 0)
    new = db.execute("SELECT id, user FROM users WHERE id > ? ORDER BY id", (last,)).fetchall()
    if len(known) + len(new) > _MOST_USERS:
        return known | dict(new)
    known.update(new)
    return known


def _sum_of(db: sqlite3.Connection, spans: Iterable[Span]) -> _Costs:
    found = _Costs()
    for span in spans:
        _add_span(found, db, span)
    return found


def _add_span(found: _Costs, db: sqlite3.Connection, span: Span) -> None:
    for row in db.execute(_READ, span):
        found.add(row)


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


def user_ids(db: sqlite3.Connection, users: set[str]) -> dict[str, int]:
    """The ids of users, who get one now if they have none. In a transaction of the caller's."""
    db.executemany("INSERT OR IGNORE INTO users (user) VALUES (?)", [(user,) for user in users])
    return {
        user: db.execute("SELECT id FROM users WHERE user = ?", (user,)).fetchone()[0]
        for user in users
    }
