"""How many alerts went which way since the start of the process. For any thread."""

import threading
from collections import Counter
from typing import Literal

from trimtab.types.alerts import AlertKind

__all__ = ["AlertState", "AlertTally"]

AlertState = Literal["told", "dropped", "delivered", "failed", "given_up"]
"""told: its key was new. dropped: there was no room. The others tell of deliveries; failed is a try
that will be repeated.
"""


class AlertTally:
    """Counts by kind and state."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[AlertKind, AlertState]] = Counter()

    def add(self, kind: AlertKind, state: AlertState) -> None:
        """Count one."""
        with self._lock:
            self._counts[kind, state] += 1

    def read(self) -> dict[tuple[AlertKind, AlertState], int]:
        """All that were counted."""
        with self._lock:
            return dict(self._counts)
