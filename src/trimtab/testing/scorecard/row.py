"""A row of the table, and what came of it."""

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.scene import Scene

__all__ = ["Act", "Row", "RowResult", "Verdict"]

Verdict = Literal["pass", "FAIL", "skipped"]

Act = Callable[[Scene], Awaitable[str]]
"""Runs a row: asks, checks, and says in a few words what happened."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        row_id: S01 to S16, X01 to X12.
        fault: what the provider, the caller or the machine does.
        does: what trimtab does about it.
        act: runs it.
        cases: each has a route.
        slow: it mostly waits, so others may run at the same time.
        own: it needs a gateway process of its own, to measure or to break.
        elsewhere: it can do with a gateway that somebody else has started.
        command: module and arguments that run this gateway.
    """

    row_id: str
    fault: str
    does: str
    act: Act
    cases: tuple[Case, ...] = (Case(),)
    slow: bool = False
    own: bool = False
    elsewhere: bool = True
    command: tuple[str, ...] = ("trimtab", "up")

    def routes(self) -> dict[str, Case]:
        """Its cases by the names of their routes."""
        return {
            f"{self.row_id}-{case.name}" if case.name else self.row_id: case for case in self.cases
        }


class RowResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a row.

    Attributes:
        row_id, fault, does: of the row.
        verdict: "skipped" is not passed.
        happened: in a few words; why, where it was skipped.
        longest_s: the longest that a caller waited for an answer, in seconds.
        attempts: physical calls that were made for all its requests.
        findings: why it failed.
    """

    row_id: str
    fault: str
    does: str
    verdict: Verdict
    happened: str
    longest_s: float = 0.0
    attempts: int = 0
    findings: list[str] = []
