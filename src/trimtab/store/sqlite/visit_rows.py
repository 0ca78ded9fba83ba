"""Users by hour, and sessions by the hour in which they began. Belongs inside a transaction.

Users of an hour lie as a bit each, by id, where that is the shorter way, else as a list of ids; so
the users of a day or a month, in whichever time zone, are counted by joining the hours.

A session has a row for each UTC day, with the first hour of that day, and begins in that hour
unless it was there on the day before. So it does not matter in which order the records come.
"""

import sqlite3
from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from trimtab.store.sqlite.spend_chunk import Visit, session_of
from trimtab.store.sqlite.tiers import DAY_S
from trimtab.store.sqlite.user_costs import user_ids

__all__ = ["add_visits", "count_visits"]

_AROUND: Final = "SELECT day, start_s FROM sessions WHERE day IN (?, ?, ?) AND session = ?"
_PUT_SESSION: Final = "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)"
_HOURS: Final = (
    "SELECT start_s, user_class, sessions, dense, users FROM visits "
    "WHERE start_s >= ? AND start_s < ?"
)
_ONE: Final = "SELECT sessions, dense, users FROM visits WHERE start_s = ? AND user_class = ?"
_PUT: Final = "INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?, ?)"
_BITS_OF_ID: Final = 32

_Place = tuple[int, str]
"""Start of the hour (or number of the range), and class."""


class _Begun(NamedTuple):
    """What some visits change: sessions begun by place, and rows of `sessions`."""

    counts: dict[_Place, int]
    rows: dict[tuple[int, int], int]


def add_visits(db: sqlite3.Connection, visits: set[Visit]) -> None:
    """Add visits to the rows."""
    begun = _begun(db, visits)
    db.executemany(_PUT_SESSION, [(*place, start_s) for place, start_s in begun.rows.items()])
    named = _by_place(visits)
    ids = user_ids(db, {user for users in named.values() for user in users})
    for place in named.keys() | begun.counts.keys():
        sessions, bits = 0, 0
        for count, dense, users in db.execute(_ONE, place):
            sessions, bits = count, _bits(dense, users)
        bits |= _bits_of(ids[user] for user in named.get(place, ()))
        db.execute(_PUT, (*place, sessions + begun.counts.get(place, 0), *_packed(bits)))


def count_visits(
    db: sqlite3.Connection, recent: set[Visit], edges_s: Sequence[int]
) -> dict[_Place, tuple[int, int]]:
    """Users and sessions by number of the range between two edges, and class.

    Args:
        db: the rollups.
        recent: visits that are not in the rows yet.
        edges_s: full hours, ascending, in UTC seconds.
    """
    bits: defaultdict[_Place, int] = defaultdict(int)
    sessions: defaultdict[_Place, int] = defaultdict(int)
    new: defaultdict[_Place, set[str]] = defaultdict(set)
    for start_s, user_class, count, dense, users in db.execute(_HOURS, (edges_s[0], edges_s[-1])):
        place = (bisect_right(edges_s, start_s) - 1, user_class)
        sessions[place] += count
        bits[place] |= _bits(dense, users)
    for (hour_s, user_class), count in _begun(db, recent).counts.items():
        sessions[bisect_right(edges_s, hour_s) - 1, user_class] += count
    known = _known(db, {visit[2] for visit in recent})
    for (hour_s, user_class), users in _by_place(recent).items():
        place = (bisect_right(edges_s, hour_s) - 1, user_class)
        bits[place] |= _bits_of(known[user] for user in users & known.keys())
        new[place] |= users - known.keys()
    return {
        place: (bits[place].bit_count() + len(new[place]), sessions[place])
        for place in bits.keys() | sessions.keys() | new.keys()
        if 0 <= place[0] < len(edges_s) - 1 and (bits[place] or sessions[place] or new[place])
    }


def _begun(db: sqlite3.Connection, visits: Iterable[Visit]) -> _Begun:
    """Sessions begin when they were not there the day before; a visit may change what is known."""
    first: dict[tuple[int, int], tuple[int, str]] = {}
    for hour_s, user_class, user, session in visits:
        if session:
            place = (hour_s // DAY_S, session_of(user_class, user, session))
            first[place] = min(first.get(place, (hour_s, user_class)), (hour_s, user_class))
    counts: defaultdict[_Place, int] = defaultdict(int)
    rows: dict[tuple[int, int], int] = {}
    for (day, session), (hour_s, user_class) in first.items():
        known = dict(db.execute(_AROUND, (day - 1, day, day + 1, session)).fetchall())
        for near in (day - 1, day + 1):
            if (near, session) in rows:
                known[near] = rows[near, session]
        before = known.get(day)
        if before is not None and before <= hour_s:
            continue
        rows[day, session] = hour_s
        if day - 1 not in known:
            counts[hour_s, user_class] += 1
            if before is not None:
                counts[before, user_class] -= 1
        if before is None and day + 1 in known:
            counts[known[day + 1], user_class] -= 1
    return _Begun(counts, rows)


def _by_place(visits: Iterable[Visit]) -> dict[_Place, set[str]]:
    """Users who have a name, by hour and class."""
    found: defaultdict[_Place, set[str]] = defaultdict(set)
    for hour_s, user_class, user, _ in visits:
        if user:
            found[hour_s, user_class].add(user)
    return found


def _known(db: sqlite3.Connection, users: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for user in users:
        for (number,) in db.execute("SELECT id FROM users WHERE user = ?", (user,)):
            found[user] = number
    return found


def _bits_of(ids: Iterable[int]) -> int:
    numbers = sorted(ids)
    if not numbers:
        return 0
    lanes = bytearray(numbers[-1] // 8 + 1)
    for number in numbers:
        lanes[number // 8] |= 1 << number % 8
    return int.from_bytes(lanes, "little")


def _bits(dense: int, users: bytes) -> int:
    return int.from_bytes(users, "little") if dense else _bits_of(array("I", users))


def _packed(bits: int) -> tuple[int, bytes]:
    """Dense or not, and the users."""
    if bits.bit_count() * _BITS_OF_ID > bits.bit_length():
        return 1, bits.to_bytes(-(-bits.bit_length() // 8), "little")
    return 0, array("I", _numbers(bits)).tobytes()


def _numbers(bits: int) -> list[int]:
    lanes = bits.to_bytes(-(-bits.bit_length() // 8), "little")
    return [
        8 * at + bit for at, lane in enumerate(lanes) if lane for bit in range(8) if lane >> bit & 1
    ]
