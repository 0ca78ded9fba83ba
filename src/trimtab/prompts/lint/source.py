"""A prompt with the places of its parts, as rules want it."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from trimtab.prompts.body import Text
from trimtab.prompts.front_matter import FrontMatter, parse_front_matter, split_file
from trimtab.prompts.library import FOLDER, Library
from trimtab.prompts.lint.lints import RULES, Lint
from trimtab.prompts.parse import file_of
from trimtab.prompts.prompt import Prompt

__all__ = ["Piece", "Source", "source_of"]

_FIELD: Final = re.compile(r"[?(]")


class Piece(NamedTuple):
    """A template and where it stands.

    Attributes:
        role: who speaks; "" for a partial.
        text: the template.
        file: from the folder of the project.
        before: lines of the file before it.
    """

    role: str
    text: str
    file: str
    before: int

    def place(self, line: int) -> str:
        """Where a line of the template is."""
        return f"{self.file}:{self.before + line}"


class Source(NamedTuple):
    """A prompt with the places of its parts.

    Attributes:
        prompt: the prompt.
        front: its front matter, which knows its lines.
        file: from the folder of the project.
        before: lines of the file before the body.
        pieces: texts of its turns, in order.
        partials: what they include, by name.
    """

    prompt: Prompt
    front: FrontMatter
    file: str
    before: int
    pieces: tuple[Piece, ...]
    partials: dict[str, Piece]

    def key(self, *path: str) -> str:
        """Where a key of the front matter stands."""
        return f"{self.file}:{self.front.line(*path)}"

    def input_place(self, name: str) -> str:
        """Where a variable is declared, in either form of schemas."""
        for path in self.front.document.lines:
            inside = path[:2] == ("input", "schema")
            fields = path[3:] if path[2:3] == ("properties",) else path[2:]
            if inside and [_FIELD.split(str(field))[0] for field in fields] == [name]:
                return f"{self.file}:{self.front.document.line(path)}"
        return self.key("input", "schema")

    def body_place(self, line: int) -> str:
        """Where a line of the body stands."""
        return f"{self.file}:{self.before + line}"

    def lint(self, rule: str, place: str, problem: str, *, remedy: str) -> Lint:
        """What a rule found in this prompt."""
        return Lint(
            prompt=self.prompt.id,
            rule=rule,
            severity=RULES[rule].severity,
            place=place,
            problem=problem,
            remedy=remedy,
        )


def source_of(prompt: Prompt, library: Library) -> Source:
    """A prompt with the places of its parts, from the file as it is now.

    Raises:
        ConfigError: the file is no longer what the library has read.
    """
    file = f"{FOLDER}/{file_of(prompt.id)}"
    split = split_file(library.read(file_of(prompt.id)) or "", file)
    front = parse_front_matter(split.front, file)
    return Source(
        prompt,
        front,
        file,
        split.body_line - 1,
        tuple(_pieces(prompt, file, split.body_line - 1)),
        {
            name: Piece("", text, f"{FOLDER}/{name}", 0)
            for name, text in prompt.behaviour.partials.items()
        },
    )


def _pieces(prompt: Prompt, file: str, before: int) -> Iterator[Piece]:
    for turn in prompt.turns:
        for part in turn.parts:
            if isinstance(part, Text):
                yield Piece(turn.role, part.source, file, before + part.line - 1)
