"""Expressions of the family of Jinja that other languages have too."""

import re
from typing import Final

import msgspec

from trimtab.prompts.formats.nodes import (
    Constant,
    Equal,
    Expression,
    Items,
    Json,
    Not,
    OrEmpty,
    Other,
    Path,
    Present,
)

__all__ = ["RESERVED_NAMES", "jinja_of", "parse_expression", "prefixes"]

RESERVED_NAMES: Final = frozenset((
    "and", "elif", "else", "false", "False", "for", "if", "in", "include", "is", "loop", "none",
    "None", "not", "or", "range", "self", "set", "true", "True",
))  # fmt: skip
"""Words that are no variables in our templates."""

_NAME: Final = r"[^\W\d]\w*"
_PATH: Final = re.compile(rf"{_NAME}(?:\.{_NAME}|\[\d+\])*")
_CONSTANTS: Final[dict[str, bool | None]] = {
    "true": True, "True": True, "false": False, "False": False, "none": None, "None": None,
}  # fmt: skip
_STRING: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^'\\]*'")
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
_OR_EMPTY: Final = re.compile(
    r"(?P<path>[^|\s]+)\s*\|\s*(?:default|d)\(\s*(?P<empty>\"\"|''|\[\])\s*\)"
)
_FILTERED: Final = re.compile(r"(?P<path>[^|\s]+)\s*\|\s*(?P<filter>tojson|items)")
_EQUAL: Final = re.compile(r"(?P<left>[^=!<>]+?)\s*(?P<sign>==|!=)\s*(?P<right>[^=!<>]+)")


def parse_expression(source: str) -> Expression:
    """What an expression says, or `Other`."""
    source = source.strip()
    simple = _path_or_constant(source)
    if simple is not None:
        return simple
    for reading in (_or_empty, _filtered, _negated, _equal, _present):
        found = reading(source)
        if found is not None:
            return found
    return Other(source)


def prefixes(path: Path) -> list[Path]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`."""
    return [Path(path.names[:length]) for length in range(1, len(path.names) + 1)]


def jinja_of(expression: Expression) -> str:
    """An expression in the family of Jinja."""
    match expression:
        case Path():
            return _path(expression)
        case Constant(value):
            return _constant(value)
        case Other(source):
            return source
        case OrEmpty() | Json() | Items():
            return f"{_path(expression.path)} | {_filter(expression)}"
        case _:
            return _condition(expression)


def _filter(expression: OrEmpty | Json | Items) -> str:
    if isinstance(expression, OrEmpty):
        return 'default("")' if expression.empty == "text" else "default([])"
    return "tojson" if isinstance(expression, Json) else "items"


def _condition(expression: Present | Not | Equal) -> str:
    match expression:
        case Present(path):
            tests = [f"{_path(one)} is defined" for one in prefixes(path) if len(one.names) > 1]
            first = f"{path.names[0]} is defined"
            return " and ".join((first, *tests, _path(path)))
        case Not(Equal(left, right)):
            return f"{_path(left)} != {jinja_of(right)}"
        case Not(inner):
            inside = jinja_of(inner)
            return f"not ({inside})" if isinstance(inner, Present) else f"not {inside}"
        case Equal(left, right):
            return f"{_path(left)} == {jinja_of(right)}"


def _path(path: Path) -> str:
    first, *rest = path.names
    return first + "".join(f"[{name}]" if name.isdecimal() else f".{name}" for name in rest)


def _constant(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, str) and '"' in value and "'" not in value and "\\" not in value:
        return f"'{value}'"
    return msgspec.json.encode(value).decode()


def _as_path(source: str) -> Path | None:
    if _PATH.fullmatch(source) is None:
        return None
    names = tuple(re.findall(r"\w+", source))
    return None if names[0] in RESERVED_NAMES - {"loop"} else Path(names)


def _path_or_constant(source: str) -> Path | Constant | None:
    if source in _CONSTANTS:
        return Constant(_CONSTANTS[source])
    if _STRING.fullmatch(source):
        return _text(source)
    if _NUMBER.fullmatch(source):
        return Constant(float(source) if "." in source else int(source))
    return _as_path(source)


def _text(source: str) -> Constant | None:
    if source[0] == "'":
        return Constant(source[1:-1])
    try:
        return Constant(msgspec.json.decode(source, type=str))
    except msgspec.DecodeError:
        return None


def _or_empty(source: str) -> OrEmpty | None:
    found = _OR_EMPTY.fullmatch(source)
    path = _as_path(found["path"]) if found else None
    if found is None or path is None:
        return None
    return OrEmpty(path, "list" if found["empty"] == "[]" else "text")


def _filtered(source: str) -> Json | Items | None:
    found = _FILTERED.fullmatch(source)
    path = _as_path(found["path"]) if found else None
    if found is None or path is None:
        return None
    return Json(path) if found["filter"] == "tojson" else Items(path)


def _negated(source: str) -> Not | None:
    if not source.startswith("not ") and not source.startswith("not("):
        return None
    rest = source[3:].strip()
    path = _as_path(rest)
    if path is not None:
        return Not(path)
    if rest.startswith("(") and rest.endswith(")") and rest.count("(") == 1:
        inner = _present(rest[1:-1].strip())
        return Not(inner) if inner is not None else None
    return None


def _equal(source: str) -> Equal | Not | None:
    found = _EQUAL.fullmatch(source)
    if found is None:
        return None
    left, right = _as_path(found["left"]), _path_or_constant(found["right"].strip())
    if left is None or right is None:
        return None
    equal = Equal(left, right)
    return equal if found["sign"] == "==" else Not(equal)


def _present(source: str) -> Present | None:
    *tests, last = source.split(" and ")
    path = _as_path(last.strip())
    if path is None or not tests:
        return None
    expected = _condition(Present(path))
    return Present(path) if " ".join(source.split()) == expected else None
