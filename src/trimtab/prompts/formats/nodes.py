"""What templates of different languages share, with all questions of white space answered."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "Branch", "Choice", "Constant", "Equal", "Expression", "Items", "Json", "Loop", "Node", "Not",
    "Note", "OrEmpty", "Other", "Part", "Path", "Present", "Tag", "Value", "Words", "parts_in",
]  # fmt: skip


class Path(msgspec.Struct, frozen=True):
    """`user.name`; a name of digits is a place in a list."""

    names: tuple[str, ...]


class Constant(msgspec.Struct, frozen=True):
    """A value that is written out."""

    value: str | int | float | bool | None


class Present(msgspec.Struct, frozen=True):
    """A path is there and not empty; being absent is no error."""

    path: Path


class OrEmpty(msgspec.Struct, frozen=True):
    """A path, or nothing where it is absent: an empty text or an empty list."""

    path: Path
    empty: Literal["text", "list"]


class Json(msgspec.Struct, frozen=True):
    """A value as JSON."""

    path: Path


class Items(msgspec.Struct, frozen=True):
    """Keys and values of a mapping."""

    path: Path


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    inner: "Path | Present | Equal"


class Equal(msgspec.Struct, frozen=True):
    """Two values are the same."""

    left: Path
    right: Path | Constant


class Other(msgspec.Struct, frozen=True):
    """An expression that only the family of Jinja has; its text."""

    source: str


Expression: TypeAlias = Path | Constant | Present | OrEmpty | Json | Items | Not | Equal | Other


class Words(msgspec.Struct, frozen=True):
    """Text that is what it is."""

    text: str


class Value(msgspec.Struct, frozen=True):
    """The place of a value."""

    expression: Expression


class Branch(msgspec.Struct, frozen=True):
    """What is said under a condition."""

    condition: Expression
    body: "tuple[Node, ...]"


class Choice(msgspec.Struct, frozen=True):
    """The first branch whose condition holds, or else the rest."""

    branches: tuple[Branch, ...]
    otherwise: "tuple[Node, ...]" = ()


class Loop(msgspec.Struct, frozen=True):
    """Once for each element, or else the rest."""

    names: tuple[str, ...]
    over: Expression
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]" = ()


class Part(msgspec.Struct, frozen=True):
    """A partial, by its name below `_partials/`."""

    name: str


class Note(msgspec.Struct, frozen=True):
    """A comment."""

    text: str


class Tag(msgspec.Struct, frozen=True):
    """A tag that only the family of Jinja has; the text between its signs."""

    source: str


Node: TypeAlias = Words | Value | Choice | Loop | Part | Note | Tag


def parts_in(nodes: "tuple[Node, ...]") -> Iterator[str]:
    """Names of the partials that they include, those inside of blocks too."""
    for node in nodes:
        match node:
            case Part(name):
                yield name
            case Choice(branches, otherwise):
                for branch in branches:
                    yield from parts_in(branch.body)
                yield from parts_in(otherwise)
            case Loop(_, _, body, otherwise):
                yield from parts_in(body)
                yield from parts_in(otherwise)
            case _:
                pass
