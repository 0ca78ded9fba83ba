"""What stands in the ledger, read straight from its table and not through the product."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec


class Entries(NamedTuple):
    """Intents and settles by inference and attempt; doubles are refused."""

    intents: dict[tuple[str, int], dict[str, Any]]
    settles: dict[tuple[str, int], dict[str, Any]]

    @property
    def unsettled(self) -> set[tuple[str, int]]:
        return self.intents.keys() - self.settles.keys()


class Book:
    """The ledger of a project, read on as it grows: entries of dead writers never change."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".trimtab" / "ledger.sqlite"
        self._place = (0, 0)
        self.entries = Entries({}, {})

    def read(self) -> Entries:
        """Take in what is new."""
        with closing(sqlite3.connect(self._path)) as db:
            rows = db.execute(
                "SELECT writer, seq, kind, body FROM entries WHERE (writer, seq) > (?, ?) "
                "ORDER BY writer, seq",
                self._place,
            ).fetchall()
        for writer, seq, kind, body in rows:
            record = msgspec.json.decode(body)
            attempt = (record["inference_id"], record["attempt"])
            there = self.entries.intents if kind == "intent" else self.entries.settles
            assert attempt not in there, f"{kind} of {attempt} is there twice"
            there[attempt] = record
            self._place = (writer, seq)
        return self.entries
