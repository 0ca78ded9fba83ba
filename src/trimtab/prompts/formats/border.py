"""What a format of another tool offers, and what comes out of it."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from trimtab.errors import Finding
from trimtab.prompts.prompt import Prompt

__all__ = ["NOWHERE", "Exported", "Format", "Imported", "ImportedPrompt", "Origin", "Remarks"]


class Remarks:
    """What could not be carried over, each once, with what to do."""

    def __init__(self, place: str = "") -> None:
        self.place = place
        self.all: list[Finding] = []

    def add(self, problem: str, remedy: str, *, at: str = "") -> None:
        """Say it. `at` is a place inside of the file."""
        place = f"{self.place} ({at})" if at else self.place
        remark = Finding(place, problem, remedy)
        if remark not in self.all:
            self.all.append(remark)


def _none(_name: str) -> str | None:
    return None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a text comes from.

    Attributes:
        file: its name, for remarks and for a prompt without a name.
        models: our alias by the other tool's name of a model; "" is for prompts that name none.
        read: gives the texts of files beside it, by relative name; None where there is none.
    """

    file: str = "prompt"
    models: Mapping[str, str] = {}
    read: Callable[[str], str | None] = _none


NOWHERE: Final = Origin()
"""No file, no mapping, nothing beside it."""


class ImportedPrompt(msgspec.Struct, frozen=True):
    """One prompt as ours.

    Attributes:
        id: a suggestion.
        text: of its file.
        files: other files below `prompts/`, by name: partials and tools.
        remarks: what was lost or needs a decision.
    """

    id: str
    text: str
    files: Mapping[str, str]
    remarks: tuple[Finding, ...]


class Imported(msgspec.Struct, frozen=True):
    """All prompts of a text, and remarks about it as a whole."""

    prompts: tuple[ImportedPrompt, ...]
    remarks: tuple[Finding, ...] = ()


class Exported(msgspec.Struct, frozen=True):
    """A prompt in another tool's format.

    Attributes:
        text: of the file.
        files: what belongs beside it, by relative name.
        remarks: what was lost or needs a decision.
    """

    text: str
    files: Mapping[str, str]
    remarks: tuple[Finding, ...]


class Format(Protocol):
    """A format. Importing raises ConfigError or UsageError for what is not in it."""

    @property
    def ending(self) -> str:
        """What names of such files end with."""
        ...

    def import_(self, text: str, origin: Origin = ...) -> Imported:
        """Their prompts as ours."""
        ...

    def export(self, prompt: Prompt) -> Exported:
        """One of ours as theirs."""
        ...
