"""Findings of files that may have thousands: the first ones in full, the others counted."""

from typing import Final

from trimtab.errors import ConfigError, Finding

__all__ = ["MOST_SHOWN", "Findings"]

MOST_SHOWN: Final = 20


class Findings:
    """Collects what is wrong with one suite.

    Args:
        place: what the count of the others is said about: `evals/support-triage`.
        most: how many are kept in full.
    """

    def __init__(self, place: str, most: int = MOST_SHOWN) -> None:
        self._place = place
        self._most = most
        self._kept: list[Finding] = []
        self._more = 0

    @property
    def full(self) -> bool:
        """The next one is only counted, so nobody needs to find words for it."""
        return len(self._kept) >= self._most

    def add(self, place: str, problem: str, remedy: str) -> None:
        """One thing that is wrong."""
        if self.full:
            self._more += 1
        else:
            self._kept.append(Finding(place, problem, remedy))

    def all(self) -> list[Finding]:
        """Those that are kept, and one that counts the others."""
        if not self._more:
            return list(self._kept)
        noun = "finding" if self._more == 1 else "findings"
        more = f"and {self._more} more {noun}"
        return [*self._kept, Finding(self._place, more, "Correct these, then look again")]

    def check(self) -> None:
        """Raise if anything is wrong.

        Raises:
            ConfigError: with all of them.
        """
        if self._kept or self._more:
            raise ConfigError(self.all())
