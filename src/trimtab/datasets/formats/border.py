"""What comes out of another tool's file, and what could not be carried over."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from trimtab.datasets.case import Case
from trimtab.datasets.folder import check_word
from trimtab.datasets.suite import EvaluatorUse
from trimtab.errors import Finding

__all__ = ["NOWHERE", "CaseIds", "ImportedSuite", "Origin", "Remarks"]

_MOST_ID: Final = 60


def _none(_name: str) -> str | None:
    return None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a text comes from.

    Attributes:
        file: its name, for remarks.
        prompt: id of our prompt that the suite is to be about; "" for none.
        read: gives the texts of files beside it, by relative name; None where there is none, or
            where it is not to be read.
    """

    file: str = "file"
    prompt: str = ""
    read: Callable[[str], str | None] = _none


NOWHERE: Final = Origin()
"""No file, no prompt, nothing beside it."""


class ImportedSuite(NamedTuple):
    """A suite as ours: what `write_new_suite` and `suite_text` take.

    Attributes:
        description: for people.
        prompt: id of ours; "" for none.
        repeats, concurrency: as in `Suite`.
        evaluators: which judge the cases by what these expect.
        cases: of the suite, which all can be loaded.
        remarks: what was left out or means something else here; each kind of thing once, with how
            often.
    """

    description: str
    prompt: str
    repeats: int
    concurrency: int
    evaluators: list[EvaluatorUse]
    cases: list[Case]
    remarks: list[Finding]


class Remarks:
    """What could not be carried over. The same thing in many cases is said once, and counted."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], list[str]] = {}

    def add(self, place: str, problem: str, remedy: str) -> None:
        """Say it of one place."""
        self._places.setdefault((problem, remedy), []).append(place)

    def all(self) -> list[Finding]:
        """In the order in which they were first seen."""
        return [
            Finding(places[0], problem + _more(len(places) - 1), remedy)
            for (problem, remedy), places in self._places.items()
        ]


class CaseIds:
    """Gives each case an id of its own, near to what people call it."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, wish: str, number: int) -> str:
        """An id like `wish`; `case-NUMBER` where nothing can be made of it."""
        word = re.sub(r"[^A-Za-z0-9]+", "-", wish)[:_MOST_ID].strip("-").lower()
        own = found = word if check_word(word) else f"case-{number}"
        more = 2
        while found in self._taken:
            found = f"{own}-{more}"
            more += 1
        self._taken.add(found)
        return found


def _more(count: int) -> str:
    if not count:
        return ""
    return f" (and {count} more {'time' if count == 1 else 'times'})"
