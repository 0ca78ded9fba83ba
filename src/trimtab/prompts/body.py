"""The body of a prompt file: turns of a conversation, divided by lines with a role marker.

The division is made before anything is rendered, so no value can begin a turn.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from trimtab.prompts.language import TemplateProblem

__all__ = ["Image", "Role", "Text", "Turn", "parse_body"]

Role = Literal["system", "user", "assistant", "history"]
"""Who speaks; "history" is the place of the messages that a caller sends beside the variables."""

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "model": "assistant",
    "history": "history",
}
_MARKER: Final = re.compile(r"<<\s*(?P<word>[A-Za-z]+)(?:\s+(?P<name>[^\s<>]+))?\s*>>[ \t]*")
_VARIABLE: Final = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*")


class Text(msgspec.Struct, frozen=True):
    """A part of a turn: a template.

    Attributes:
        source: its text.
        line: of the body, from 1, on which it begins.
    """

    source: str
    line: int


class Image(msgspec.Struct, frozen=True):
    """A part of a user's turn: an image, by the variable that holds its address."""

    variable: str
    line: int


class Turn(msgspec.Struct, frozen=True):
    """One message of the conversation, or the place of those that the caller sends."""

    role: Role
    parts: tuple[Text | Image, ...]
    line: int


def parse_body(body: str) -> tuple[Turn, ...]:
    """The turns of a body.

    Raises:
        TemplateProblem: a marker is not known, or there is nothing.
    """
    turns: list[Turn] = []
    for role, line, lines in _sections(body):
        parts = tuple(_parts(lines, line, role))
        if parts or role == "history":
            turns.append(Turn(role, parts, line))
        elif line:
            raise TemplateProblem(line, "this turn is empty", "Write its text, or take it out")
    if not turns:
        raise TemplateProblem(1, "the prompt has no text", "Write one below the front matter")
    if sum(turn.role == "history" for turn in turns) > 1:
        raise TemplateProblem(turns[-1].line, "<<history>> is there twice", "Keep one of them")
    return tuple(turns)


def _sections(body: str) -> Iterator[tuple[Role, int, list[str]]]:
    """Role, line of the marker (0 for none) and lines of each turn."""
    lines = body.split("\n")
    marked = any(_role_of(text, number) for number, text in enumerate(lines, 1))
    role: Role = "system" if marked else "user"
    begun, own = 0, list[str]()
    for number, text in enumerate(lines, 1):
        marker = _role_of(text, number)
        if marker is None:
            own.append(text)
            continue
        yield role, begun, own
        role, begun, own = marker, number, []
    yield role, begun, own


def _role_of(text: str, number: int) -> Role | None:
    found = _MARKER.fullmatch(text)
    if found is None or found["word"].lower() == "image":
        return None
    role = _ROLES.get(found["word"].lower())
    if role is None or found["name"]:
        raise TemplateProblem(
            number,
            f"{text.strip()[:60]} is no marker",
            "Write <<system>>, <<user>>, <<assistant>>, <<history>> or <<image VARIABLE>>",
        )
    return role


def _parts(lines: list[str], line: int, role: Role) -> Iterator[Text | Image]:
    begun, own = line + 1, list[str]()
    for number, text in enumerate(lines, line + 1):
        found = _MARKER.fullmatch(text)
        if found is None:
            own.append(text)
            continue
        yield from _text(own, begun)
        yield _image(found["name"], number, role)
        begun, own = number + 1, []
    yield from _text(own, begun)
    if role == "history" and any(text.strip() for text in lines):
        raise TemplateProblem(line, "<<history>> has a text", "Begin another turn below it")


def _text(lines: list[str], begun: int) -> Iterator[Text]:
    """The lines as one text without empty ones around it; nothing if all are empty."""
    while lines and not lines[0].strip():
        lines, begun = lines[1:], begun + 1
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if lines:
        yield Text("\n".join(lines), begun)


def _image(name: str | None, number: int, role: Role) -> Image:
    if role != "user":
        raise TemplateProblem(number, "an image outside a user's turn", "Move it below <<user>>")
    if name is None or _VARIABLE.fullmatch(name) is None:
        raise TemplateProblem(
            number, "this image has no variable", "Write <<image NAME>>, with an input's name"
        )
    return Image(name, number)
