"""JSON values against a schema. Every problem names the place, and none shows the value."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple, cast

import msgspec
from typing_extensions import override

from trimtab.prompts.patterns import Pattern
from trimtab.prompts.schema import Schema, Subschema

__all__ = ["ValueProblem", "problems_of", "with_defaults"]

_encode = msgspec.json.Encoder(order="deterministic").encode

_MOST: Final = 5
_DEEPEST: Final = 200  # also ends a schema that refers to itself without taking anything


class ValueProblem(NamedTuple):
    """Something in a value that its schema does not allow.

    Attributes:
        place: `ticket`, `items[2].name`; "" for the value as a whole.
        problem: what is wrong, as the end of a sentence that begins with the place.
    """

    place: str
    problem: str

    @override
    def __str__(self) -> str:
        return f"`{self.place}` {self.problem}" if self.place else f"the value {self.problem}"


def problems_of(value: object, schema: Schema, *, most: int = _MOST) -> list[ValueProblem]:
    """What is wrong with a value, at most so many problems; none if it fits."""
    return list(islice(_Check(schema).value(value, schema, ""), most))


def with_defaults(value: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The same object with the defaults of fields that are not there, at the first level."""
    properties: dict[str, Subschema] = schema.get("properties", {})
    defaults = {
        name: inner["default"]
        for name, inner in properties.items()
        if isinstance(inner, dict) and "default" in inner and name not in value
    }
    return {**value, **defaults} if defaults else value


class _Check:
    def __init__(self, root: Schema) -> None:
        self._defs: dict[str, Schema] = root.get("$defs", {})
        self._depth = 0

    def value(self, value: object, schema: Subschema, place: str) -> Iterator[ValueProblem]:
        """All problems of one value."""
        if isinstance(schema, bool):
            if not schema:
                yield ValueProblem(place, "is not expected here")
            return
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                yield ValueProblem(place, "is nested too deeply")
                return
            yield from self._checked(value, schema, place)
        finally:
            self._depth -= 1

    def _checked(self, value: object, schema: Schema, place: str) -> Iterator[ValueProblem]:
        reference = schema.get("$ref")
        if reference is not None:
            yield from self.value(value, self._defs[reference.rpartition("/")[2]], place)
        kinds = schema.get("type")
        if kinds is not None and not _is_of(value, kinds):
            yield ValueProblem(place, f"must be {_article(kinds)}, and is {_kind_of(value)}")
            return
        if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
            yield ValueProblem(place, "must be one of the values that the schema lists")
        if "const" in schema and not _same(value, schema["const"]):
            yield ValueProblem(place, "must be the value that the schema gives")
        yield from self._alternatives(value, schema, place)
        if isinstance(value, str):
            yield from _text(value, schema, place)
        elif isinstance(value, list):
            yield from self._items(cast("list[object]", value), schema, place)
        elif isinstance(value, dict):
            yield from self._fields(cast("dict[str, object]", value), schema, place)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield from _number(value, schema, place)

    def _alternatives(self, value: object, schema: Schema, place: str) -> Iterator[ValueProblem]:
        for inner in schema.get("allOf", ()):
            yield from self.value(value, inner, place)
        if "anyOf" in schema and not any(self._fits(value, one) for one in schema["anyOf"]):
            yield ValueProblem(place, "fits none of the alternatives of the schema")
        if "oneOf" in schema:
            fitting = sum(self._fits(value, one) for one in schema["oneOf"])
            if fitting != 1:
                yield ValueProblem(place, f"fits {fitting} alternatives of the schema, and not one")

    def _fits(self, value: object, schema: Subschema) -> bool:
        return next(self.value(value, schema, ""), None) is None

    def _items(self, value: list[object], schema: Schema, place: str) -> Iterator[ValueProblem]:
        yield from _size(len(value), schema, place, of="Items")
        if schema.get("uniqueItems"):
            seen: set[bytes] = set()
            for number, item in enumerate(value):
                written = _encode(_plain(item))
                if written in seen:
                    yield ValueProblem(f"{place}[{number}]", "is there twice")
                    break
                seen.add(written)
        if "items" in schema:
            for number, item in enumerate(value):
                yield from self.value(item, schema["items"], f"{place}[{number}]")

    def _fields(
        self, value: dict[str, object], schema: Schema, place: str
    ) -> Iterator[ValueProblem]:
        properties: dict[str, Subschema] = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield ValueProblem(_inside(place, name), "is missing")
        others: Subschema = schema.get("additionalProperties", True)
        for name, inner in value.items():
            yield from self.value(inner, properties.get(name, others), _inside(place, name))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Pattern:
    return Pattern(pattern)


def _text(value: str, schema: Schema, place: str) -> Iterator[ValueProblem]:
    yield from _size(len(value), schema, place, of="Length")
    if "pattern" in schema and not _compiled(schema["pattern"]).search(value):
        yield ValueProblem(place, "does not match the pattern of the schema")


def _size(size: int, schema: Schema, place: str, *, of: str) -> Iterator[ValueProblem]:
    what = "items" if of == "Items" else "characters"
    least, most = schema.get(f"min{of}"), schema.get(f"max{of}")
    if least is not None and size < least:
        yield ValueProblem(place, f"has {size} {what}, and must have at least {least}")
    if most is not None and size > most:
        yield ValueProblem(place, f"has {size} {what}, and may have at most {most}")


_BOUNDS: Final[tuple[tuple[str, Callable[[float, float], bool], str], ...]] = (
    ("minimum", lambda value, bound: value >= bound, "at least"),
    ("maximum", lambda value, bound: value <= bound, "at most"),
    ("exclusiveMinimum", lambda value, bound: value > bound, "more than"),
    ("exclusiveMaximum", lambda value, bound: value < bound, "less than"),
)


def _number(value: float, schema: Schema, place: str) -> Iterator[ValueProblem]:
    for keyword, holds, words in _BOUNDS:
        if keyword in schema and not holds(value, schema[keyword]):
            yield ValueProblem(place, f"must be {words} {schema[keyword]}")


def _inside(place: str, name: str) -> str:
    shown = name if len(name) <= 80 else f"{name[:77]}..."
    return f"{place}.{shown}" if place else shown


def _is_of(value: object, kinds: str | list[str]) -> bool:
    kind = _kind_of(value)
    wanted = (kinds,) if isinstance(kinds, str) else kinds
    if kind in wanted:
        return True
    if kind == "integer":
        return "number" in wanted
    # 1.0 is an integer in JSON Schema.
    return isinstance(value, float) and value.is_integer() and "integer" in wanted


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return "no JSON value"


_KINDS: Final = (
    (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"),
    (dict, "object"),
)  # fmt: skip


def _article(kinds: str | list[str]) -> str:
    names = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(names)


def _plain(value: object) -> object:
    """The same, with 1 for 1.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in cast("list[object]", value)]
    return value


def _same(one: object, other: object) -> bool:
    """Equal as JSON values, in which true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        ones, others = cast("list[object]", one), cast("list[object]", other)
        return len(ones) == len(others) and all(map(_same, ones, others))
    if isinstance(one, dict) and isinstance(other, dict):
        mine, yours = cast("dict[str, object]", one), cast("dict[str, object]", other)
        return mine.keys() == yours.keys() and all(_same(mine[k], yours[k]) for k in mine)
    return one == other
