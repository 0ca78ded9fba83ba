"""JSON values as YAML that every reader takes in the same way: where in doubt, with quotes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import msgspec

__all__ = ["dump_yaml"]

_PLAIN: Final = re.compile(r"[A-Za-z$_][\w$./-]*(?: [\w./-]+)*", re.ASCII)
_WORDS: Final = frozenset(
    ("false", "n", "no", "null", "off", "on", "true", "y", "yes", "nan", "inf")
)
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000\ufeff\ufffe\uffff]")
_BLOCK: Final = re.compile(
    r"[^\s#](?:[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000\ufeff\ufffe\uffff\t]*)"
)


def dump_yaml(value: Mapping[str, Any]) -> str:
    """A mapping as lines of YAML, with a line end after each."""
    return "".join(f"{line}\n" for line in _mapping(value, 0))


def _mapping(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for key, inner in value.items():
        first, *rest = _value(inner, depth)
        yield f"{pad}{_text(key)}:{first}"
        yield from rest


def _value(value: object, depth: int) -> Iterator[str]:
    """What follows a key: the end of its line, and the lines below."""
    if isinstance(value, Mapping) and value:
        yield ""
        yield from _mapping(cast("Mapping[str, Any]", value), depth + 1)
    elif isinstance(value, list | tuple) and value:
        items = cast("Sequence[object]", value)
        if all(isinstance(item, str | int | float | None) for item in items):
            yield f" [{', '.join(_scalar(item) for item in items)}]"
            return
        yield ""
        yield from _list(items, depth + 1)
    elif isinstance(value, str) and "\n" in value and _is_block(value):
        ends = len(value) - len(value.rstrip("\n"))
        yield " |-" if not ends else " |" if ends == 1 else " |+"
        for line in value.split("\n")[: -1 if ends else None]:
            yield "  " * (depth + 1) + line if line else ""
    else:
        yield f" {_scalar(cast('object', value))}"


def _list(items: Sequence[object], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for item in items:
        if isinstance(item, Mapping) and item:
            first, *rest = _mapping(cast("Mapping[str, Any]", item), depth + 1)
            yield f"{pad}- {first.lstrip(' ')}"
            yield from rest
        else:
            first, *rest = _value(cast("object", item), depth)
            yield f"{pad}-{first}"
            yield from rest


def _is_block(text: str) -> bool:
    lines = text.rstrip("\n").split("\n")
    return (
        bool(lines[0])
        and not lines[0][0].isspace()
        and _BLOCK.fullmatch(text) is not None
        and not any(line != line.rstrip() for line in lines)
    )


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    # Mappings and lists are written as lines, unless they are empty.
    return msgspec.json.encode(value).decode()


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    written = msgspec.json.encode(text).decode()
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)
