"""The projector inside the running gateway: a thread that looks for news once a second.

That is often enough, for whoever asks a question catches up first; and the more there is at
once, the less each inference costs.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from trimtab.errors import StoreError
from trimtab.store.sqlite.projector import Projector

__all__ = ["ProjectionThread"]

_log = logging.getLogger(__name__)

_INTERVAL_S: Final = 1.0


class ProjectionThread:
    """Runs until closed; trouble is logged once and tried again, for nothing can be lost."""

    def __init__(self, data_dir: Path, head_seq: Callable[[], int]) -> None:
        self._data_dir = data_dir
        self._head_seq = head_seq
        self._done_seq = -1  # so that what an earlier process left behind is projected at once
        self._projector: Projector | None = None
        self._in_trouble = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trimtab-projector", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Project what is left, then stop. Blocks."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            self._look()
        self._look()
        if self._projector is not None:
            self._projector.close()

    def _look(self) -> None:
        head_seq = self._head_seq()
        if head_seq == self._done_seq:
            return
        try:
            if self._projector is None:
                self._projector = Projector(self._data_dir)
            self._projector.catch_up()
        except (sqlite3.Error, OSError, StoreError) as error:
            if not self._in_trouble:
                _log.warning("Events and rollups fall behind the ledger: %s", error)
            self._in_trouble = True
        else:
            self._in_trouble = False
            self._done_seq = head_seq
