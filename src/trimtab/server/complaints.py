"""Log lines that do not flood: a provider that is down must not hide everything else."""

import logging

from trimtab.types.clock import Clock

__all__ = ["Complaints"]

_QUIET_S = 1.0


class Complaints:
    """Logs the first of each kind at once, then at most one a second with a count of the rest."""

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._now = clock.monotonic_s
        self._next_s: dict[str, float] = {}
        self._untold: dict[str, int] = {}

    def log(self, level: int, code: str, text: str) -> None:
        """Log `text` under the stable word `code`, unless one of its kind was just logged."""
        now = self._now()
        if now < self._next_s.get(code, 0.0):
            self._untold[code] = self._untold.get(code, 0) + 1
            return
        self._next_s[code] = now + _QUIET_S
        untold = self._untold.pop(code, 0)
        more = f" (and {untold} more like this before)" if untold else ""
        self._log.log(level, "%s %s%s", code, text, more)
