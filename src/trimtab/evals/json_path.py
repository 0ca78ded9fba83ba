"""Places in JSON values: `items[0].price`, and `items[*].price` for all of them."""

import re
from collections.abc import Iterable
from typing import Annotated, Final, cast

from msgspec import Meta

__all__ = [
    "ANY",
    "Path",
    "PathProblem",
    "PathText",
    "at_any",
    "find_values",
    "parse_path",
    "under_any",
]

ANY: Final = None
"""The part of a path that stands for every field or item."""

Path = tuple[str | int | None, ...]
"""From the root: names of fields, numbers of items, `ANY`."""

PathText = Annotated[str, Meta(min_length=1)]

_PART: Final = re.compile(
    r"""(?P<dot>\.)?(?:(?P<name>[^.\[\]"*]+)|(?P<all>\*)|\[(?:(?P<number>\d{1,9})|(?P<star>\*)|"(?P<quoted>[^"]*)")\])"""
)


class PathProblem(ValueError):
    """A text is no path. Says how one is written."""


def parse_path(text: str) -> Path:
    """What a path means; "" is the whole value.

    Raises:
        PathProblem: it is not written as one.
    """
    parts: list[str | int | None] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None or not _is_joined(found, is_first=position == 0):
            raise PathProblem(f'{text[:80]!r} is no path. Write a.b, a[0].b, a[*].b, or a["b.c"]')
        parts.append(_part(found))
        position = found.end()
    return tuple(parts)


def at_any(place: Path, patterns: Iterable[Path]) -> bool:
    """Whether a place is one that a pattern names."""
    return any(len(place) == len(pattern) and _is_under(place, pattern) for pattern in patterns)


def under_any(place: Path, patterns: Iterable[Path]) -> bool:
    """Whether a place is one that a pattern names, or lies in one."""
    return any(_is_under(place, pattern) for pattern in patterns)


def find_values(value: object, path: Path) -> tuple[object, ...]:
    """What stands at a place, or at all places that it names; empty where there is nothing."""
    if not path:
        return (value,)
    head, rest = path[0], path[1:]
    return tuple(found for inner in _inner(value, head) for found in find_values(inner, rest))


def _inner(value: object, part: str | int | None) -> list[object]:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        if part is ANY:
            return list(fields.values())
        return [fields[part]] if isinstance(part, str) and part in fields else []
    if isinstance(value, list):
        items = cast("list[object]", value)
        if part is ANY:
            return items
        return [items[part]] if isinstance(part, int) and part < len(items) else []
    return []


def _is_under(place: Path, pattern: Path) -> bool:
    return len(place) >= len(pattern) and all(
        wanted is ANY or wanted == part for wanted, part in zip(pattern, place, strict=False)
    )


def _is_joined(found: re.Match[str], *, is_first: bool) -> bool:
    """A dot stands before names, but for the first; never before brackets."""
    has_dot = found["dot"] is not None
    is_name = found["name"] is not None or found["all"] is not None
    return has_dot == (is_name and not is_first)


def _part(found: re.Match[str]) -> str | int | None:
    if found["number"] is not None:
        return int(found["number"])
    if found["name"] is not None:
        return found["name"]
    return ANY if found["quoted"] is None else found["quoted"]
