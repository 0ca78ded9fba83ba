"""`breakers.json`: the state of the breakers, for people, and for the next process as a hint."""

from pathlib import Path
from typing import Final

import msgspec

from trimtab.types.breakers import BreakerRecords

__all__ = ["read_breakers", "write_breakers"]

_NAME: Final = "breakers.json"
_MOST_BYTES: Final = 1_000_000


def write_breakers(data_dir: Path, records: BreakerRecords) -> None:
    """Put `records` in the place of those that are there.

    Raises:
        OSError: it cannot be written.
    """
    new = data_dir / f"{_NAME}.new"
    new.write_bytes(msgspec.json.encode(records))
    new.replace(data_dir / _NAME)


def read_breakers(data_dir: Path) -> BreakerRecords | None:
    """What is known of the breakers; None where nothing is, or it cannot be read."""
    try:
        with (data_dir / _NAME).open("rb") as file:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=BreakerRecords)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
