"""`KeyStore` on SQLite: hashes in a table, all of them in memory, a counter that says when to look.

Each change raises an 8-byte number in a small file that every process has mapped into memory.
`find` compares that number, about 100 ns, and reads the table again only if it moved: a revoked
key stops working in all processes at once, and no request waits for a database.
"""

import mmap
import secrets
import sqlite3
import struct
from base64 import b32encode
from collections.abc import Callable
from contextlib import closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from trimtab.errors import StoreError, UsageError
from trimtab.store.sqlite.files import control_db, exclusive, explain
from trimtab.types.clock import Clock, SystemClock
from trimtab.types.identity import Key
from trimtab.types.ids import IdSource

__all__ = ["SqliteKeys", "open_keys"]

_SECRET_BYTES: Final = 25  # 200 bits: exactly 40 characters in base 32
_PREFIX_CHARS: Final = 10
_NUMBER: Final = struct.Struct("=Q")
_SYSTEM_CLOCK: Final = SystemClock()

_COLUMNS: Final = Key.__struct_fields__
_SELECT: Final = f"SELECT digest, {', '.join(_COLUMNS)} FROM keys ORDER BY created_ns, key_id"  # noqa: S608 - our own names


class SqliteKeys:
    """See `trimtab.store.protocol.KeyStore`. One thread at a time.

    Attributes:
        generation: see `KeyStore.generation`.
    """

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._data_dir = data_dir
        self._clock = clock
        self._new_id = IdSource(clock).new
        with closing(control_db(data_dir)):
            pass  # made now, so that a wrong folder is found at the start
        self._generation = _Generation(data_dir / "keys.generation")
        self.generation = self._generation.read
        self._load()

    def create(self, name: str, team: str = "", *, console: bool = False) -> tuple[Key, str]:
        """See `KeyStore.create`."""
        name = name.strip()
        if not name:
            raise UsageError("A key needs a name that tells people whose it is.")
        secret = f"tt-{b32encode(secrets.token_bytes(_SECRET_BYTES)).decode().lower()}"
        key = Key(
            key_id=self._new_id("key"),
            name=name,
            prefix=secret[:_PREFIX_CHARS],
            team=team,
            created_ns=self._clock.wall_ns(),
            console=console,
        )
        with closing(control_db(self._data_dir)) as db, exclusive(db):
            if db.execute(
                "SELECT 1 FROM keys WHERE name = ? AND revoked_ns IS NULL", (name,)
            ).fetchone():
                raise UsageError(f"A key named {name!r} exists. Revoke it, or take another name.")
            db.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, NULL, ?, ?)",
                (key.key_id, name, key.prefix, team, key.created_ns, console, _digest(secret)),
            )
        self._generation.advance()
        return key, secret

    def list(self) -> list[Key]:
        """See `KeyStore.list`."""
        self._refresh()
        return list(self._keys)

    def revoke(self, reference: str) -> Key:
        """See `KeyStore.revoke`."""
        with closing(control_db(self._data_dir)) as db, exclusive(db):
            key = _meant(reference, [key for _, key in _read(db)])
            revoked_ns = self._clock.wall_ns()
            db.execute("UPDATE keys SET revoked_ns = ? WHERE key_id = ?", (revoked_ns, key.key_id))
        self._generation.advance()
        self._refresh()
        return next(found for found in self._keys if found.key_id == key.key_id)

    def find(self, secret: str) -> Key | None:
        """See `KeyStore.find`."""
        if self._generation.read() != self._loaded:
            self._load()
        return self._valid.get(_digest(secret))

    def any_configured(self) -> bool:
        """See `KeyStore.any_configured`."""
        self._refresh()
        return bool(self._keys)

    def close(self) -> None:
        """Release the mapped file."""
        self._generation.close()

    def _refresh(self) -> None:
        if self._generation.read() != self._loaded:
            self._load()

    def _load(self) -> None:
        # The number is read first: a change in between is then seen the next time.
        loaded = self._generation.read()
        with closing(control_db(self._data_dir)) as db:
            rows = _read(db)
        self._keys = [key for _, key in rows]
        self._valid = {digest: key for digest, key in rows if key.revoked_ns is None}
        self._loaded = loaded


class _Generation:
    """A number in a mapped file, shared by all processes of this machine.

    Attributes:
        read: tells what it is now.
    """

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            if file.tell() < _NUMBER.size:
                file.truncate(_NUMBER.size)
            self._map = mmap.mmap(file.fileno(), _NUMBER.size)
        self.read: Callable[[], tuple[int]] = partial(_NUMBER.unpack_from, self._map)

    def advance(self) -> None:
        """Raise it. Called after the commit, so that two at once may well write the same number.

        Whoever sees it then finds both changes in the table.
        """
        (number,) = self.read()
        _NUMBER.pack_into(self._map, 0, number + 1)

    def close(self) -> None:
        """Unmap the file."""
        self._map.close()


def open_keys(data_dir: Path, clock: Clock = _SYSTEM_CLOCK) -> SqliteKeys:
    """The keys in `data_dir`.

    Raises:
        StoreError: the files cannot be used.
    """
    try:
        return SqliteKeys(data_dir, clock)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(explain(error, data_dir / "control.sqlite")) from error


def _read(db: sqlite3.Connection) -> list[tuple[bytes, Key]]:
    rows: list[tuple[Any, ...]] = db.execute(_SELECT).fetchall()
    # strict=False turns SQLite's 0 and 1 into booleans.
    return [
        (row[0], msgspec.convert(dict(zip(_COLUMNS, row[1:], strict=True)), Key, strict=False))
        for row in rows
    ]


def _digest(secret: str) -> bytes:
    # Unsalted and fast is right here: the secret is 200 random bits, not a password.
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _meant(reference: str, keys: list[Key]) -> Key:
    """The one valid key that `reference` names."""
    named = [key for key in keys if reference in {key.key_id, key.prefix, key.name}]
    valid = [key for key in named if key.revoked_ns is None]
    if len(valid) == 1:
        return valid[0]
    if valid:
        raise UsageError(f"{reference!r} means {len(valid)} keys. Name one by its key_id.")
    if named:
        raise UsageError(f"{reference!r} is revoked already. Nothing is left to do.")
    raise UsageError(f"No key has the id, prefix or name {reference!r}. See `trimtab keys list`.")
