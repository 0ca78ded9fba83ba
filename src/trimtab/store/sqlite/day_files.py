"""Connections to the files of the last few days, kept open because closing one syncs the disk."""

import sqlite3
from pathlib import Path
from typing import Final

from trimtab.store.sqlite.files import day_db

__all__ = ["DayFiles"]

_KEPT: Final = 2  # around midnight, inferences of yesterday still end


class DayFiles:
    """Opens day files on demand; belongs to one thread."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._open: dict[str, sqlite3.Connection] = {}

    def get(self, day: str) -> sqlite3.Connection:
        """The connection to the file of `day`, which is made if it is not there."""
        db = self._open.pop(day, None) or day_db(self._data_dir, day)
        self._open[day] = db  # last in, so the first is the longest unused
        while len(self._open) > _KEPT:
            self._open.pop(next(iter(self._open))).close()
        return db

    def close(self) -> None:
        """Close all of them."""
        while self._open:
            self._open.popitem()[1].close()
