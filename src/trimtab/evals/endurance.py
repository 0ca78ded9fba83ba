"""When a run gives up: after so long, or so many requests, nothing was answered any more."""

import asyncio
from typing import Final

from trimtab.errors import TrimtabError, reply_of
from trimtab.types.experiments import Row

__all__ = ["PATIENCE_S", "Endurance"]

PATIENCE_S: Final = 120.0
"""Without an answer, while providers say: later."""

_LEAST_TRIES: Final = 4
_MOST_FAILED: Final = 20  # requests in a row that failed for good
_LONGEST: Final = 200


class Endurance:
    """Counts what went wrong since the last answer. For the event loop's thread.

    Args:
        patience_s: without an answer, while providers say: later.

    Attributes:
        reason: what went wrong last; "" while all is well.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.reason = ""
        self._patience_s = patience_s
        self._put_off = 0
        self._failed = 0
        self._well_s: float | None = None

    @property
    def exhausted(self) -> bool:
        """Going on makes no sense now."""
        if self._failed >= _MOST_FAILED:
            return True
        well_s = self._well_s
        waited = well_s is not None and _now_s() - well_s >= self._patience_s
        return self._put_off >= _LEAST_TRIES and waited

    def begin(self) -> None:
        """A run begins, or goes on."""
        self._well_s = _now_s()

    def put_off(self, error: TrimtabError) -> None:
        """Somebody said: later."""
        self._put_off += 1
        self.reason = f"{reply_of(error).code}: {error}"[:_LONGEST]

    def see(self, row: Row) -> None:
        """A row is there."""
        if row.status == "error":
            self._failed += 1
            self.reason = f"{row.error_code}: {row.error}"[:_LONGEST]
            return
        self._put_off = self._failed = 0
        self._well_s = _now_s()
        self.reason = ""


def _now_s() -> float:
    return asyncio.get_running_loop().time()
