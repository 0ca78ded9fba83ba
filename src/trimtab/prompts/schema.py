"""Schemas of a prompt's input and output: the short form, and the part of JSON Schema that is used.

The short form writes a schema as people would on a whiteboard: `{ticket: string, locale?: string}`.
It is that of dotprompt ("Picoschema", google.github.io/dotprompt/reference/picoschema). Either form
becomes a JSON Schema (draft 2020-12) of the keywords in `KEYWORDS`; others are refused instead of
being overlooked.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from trimtab.prompts.patterns import Pattern, PatternProblem

__all__ = ["KEYWORDS", "TYPES", "Schema", "SchemaProblem", "Subschema", "parse_schema"]

Schema = dict[str, Any]
"""A JSON Schema as plain JSON values."""

Subschema = Schema | bool
"""What stands inside one: `true` allows everything, `false` nothing."""

TYPES: Final = ("string", "number", "integer", "boolean", "object", "array", "null")

KEYWORDS: Final = frozenset((
    "$defs", "$ref", "$schema", "additionalProperties", "allOf", "anyOf", "const", "default",
    "description", "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "items",
    "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "oneOf", "pattern",
    "properties", "required", "title", "type", "uniqueItems",
))  # fmt: skip

_OF_SCHEMAS: Final = ("allOf", "anyOf", "oneOf")
_OF_NAMED: Final = ("properties", "$defs")
_COUNTS: Final = ("maxItems", "maxLength", "minItems", "minLength")
_NUMBERS: Final = ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum")
_KEY: Final = re.compile(
    r"(?P<name>[^\s(),?]+)(?P<optional>\?)?"
    r"(?:\((?P<kind>array|object|enum)(?:,\s*(?P<words>[^)]*))?\))?"
)
_ANY_OTHER: Final = "(*)"
_DEEPEST: Final = 32


class SchemaProblem(Exception):
    """A schema is wrong.

    Attributes:
        path: keys from the schema's root to the place.
        problem: what is wrong.
        remedy: what to do.
    """

    def __init__(self, path: tuple[str, ...], problem: str, remedy: str) -> None:
        super().__init__(f"{'.'.join(path)}: {problem}. {remedy}.")
        self.path = path
        self.problem = problem
        self.remedy = remedy


def parse_schema(written: object) -> Schema:
    """The JSON Schema that is meant by either form.

    Raises:
        SchemaProblem: it is neither, or uses what is not understood here.
    """
    if isinstance(written, str):
        return _of_words(written, ())
    if not isinstance(written, dict):
        raise SchemaProblem((), "expected a schema", "Write it as {name: type}")
    mapping = cast("dict[str, Any]", written)
    if _is_json_schema(mapping):
        _check(mapping, (), root=mapping)
        return mapping
    return _of_fields(mapping, ())


def _is_json_schema(written: Mapping[str, Any]) -> bool:
    """A JSON Schema says so by one of these; a short one could only have fields of such names."""
    if "$schema" in written or isinstance(written.get("properties"), dict):
        return True
    kind = written.get("type")
    return (isinstance(kind, str) and kind in TYPES and set(written) <= KEYWORDS) or any(
        isinstance(written.get(name), list) for name in (*_OF_SCHEMAS, "enum")
    )


# ---------------------------------------------------------------- the short form


def _of_fields(fields: Mapping[str, Any], path: tuple[str, ...]) -> Schema:
    if len(path) > _DEEPEST:
        raise SchemaProblem(path, "nested too deeply", "Flatten it")
    properties: dict[str, Schema] = {}
    required: list[str] = []
    others: Subschema = False
    for written, value in fields.items():
        place = (*path, str(written))
        if written == _ANY_OTHER:
            others = _of_value(value, place)
            continue
        key = _key_of(written, place)
        if key.name in properties:
            raise SchemaProblem(place, "this field is there twice", "Keep one of them")
        properties[key.name] = _described(_of_kind(key, value, place), key.words)
        if not key.optional:
            required.append(key.name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": others,
    }


class _Key(NamedTuple):
    """`tags?(array, of the ticket)`: a field's name, and what the parentheses say."""

    name: str
    optional: bool
    kind: str | None
    words: str


def _key_of(written: object, place: tuple[str, ...]) -> _Key:
    found = _KEY.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise SchemaProblem(
            place, "not a field", "Write name, name?, name(array), name(object) or name(enum)"
        )
    words = (found["words"] or "").strip()
    return _Key(found["name"], found["optional"] is not None, found["kind"], words)


def _of_kind(key: _Key, value: object, place: tuple[str, ...]) -> Schema:
    if key.kind == "array":
        return {"type": "array", "items": _of_value(value, place)}
    if key.kind == "enum":
        if not isinstance(value, list) or not value:
            raise SchemaProblem(place, "an enum needs its values", "Write [first, second]")
        return {"enum": cast("list[Any]", value)}
    if key.kind == "object" and not isinstance(value, dict):
        raise SchemaProblem(place, "an object needs its fields", "Write {name: type}")
    return _of_value(cast("object", value), place)


def _of_value(value: object, place: tuple[str, ...]) -> Schema:
    if isinstance(value, str):
        return _of_words(value, place)
    if isinstance(value, dict):
        return _of_fields(cast("dict[str, Any]", value), place)
    raise SchemaProblem(place, "not a type", f"Give one of {', '.join(TYPES[:4])}, any")


def _of_words(words: str, place: tuple[str, ...]) -> Schema:
    """`string, what it is for`."""
    kind, _, description = words.partition(",")
    kind = kind.strip()
    if kind == "any":
        return _described({}, description.strip())
    if kind not in TYPES or kind in {"object", "array"}:
        raise SchemaProblem(
            place, f"{kind[:40]!r} is no type", f"Give one of {', '.join(TYPES[:4])}, any"
        )
    return _described({"type": kind}, description.strip())


def _described(schema: Schema, words: str) -> Schema:
    return {**schema, "description": words} if words else schema


# ---------------------------------------------------------------- JSON Schema


def _check(schema: object, path: tuple[str, ...], *, root: Schema) -> None:
    """Raise if a schema cannot be used."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise SchemaProblem(path, "expected a schema", "Write an object with a type")
    if len(path) > _DEEPEST:
        raise SchemaProblem(path, "nested too deeply", "Flatten it")
    mapping = cast("Schema", schema)
    for keyword, value in mapping.items():
        place = (*path, str(keyword))
        if keyword not in KEYWORDS:
            raise SchemaProblem(
                place, "this keyword is not checked here", f"Use {', '.join(sorted(KEYWORDS))}"
            )
        _check_keyword(keyword, value, place)
        for name, inner in _schemas_in(keyword, value, place):
            _check(inner, name, root=root)
    _check_reference(mapping, path, root)


def _schemas_in(
    keyword: str, value: object, place: tuple[str, ...]
) -> list[tuple[tuple[str, ...], object]]:
    """The schemas in the value of a keyword, which is of the right type."""
    if keyword in _OF_NAMED:
        named = cast("dict[str, object]", value)
        return [((*place, str(name)), inner) for name, inner in named.items()]
    if keyword in _OF_SCHEMAS:
        several = cast("list[object]", value)
        return [((*place, str(number)), inner) for number, inner in enumerate(several)]
    return [(place, value)] if keyword in {"items", "additionalProperties"} else []


def _check_keyword(keyword: str, value: object, place: tuple[str, ...]) -> None:
    wrong = ""
    if keyword in _OF_NAMED:
        wrong = "" if isinstance(value, dict) else "an object of schemas"
    elif keyword in (*_OF_SCHEMAS, "enum"):
        wrong = "" if isinstance(value, list) and value else "a list that is not empty"
    elif keyword == "required":
        names = cast("list[object]", value) if isinstance(value, list) else [None]
        wrong = "" if all(isinstance(name, str) for name in names) else "a list of names"
    elif keyword in _COUNTS:
        wrong = "" if isinstance(value, int) and value >= 0 else "a whole number from 0"
    elif keyword in _NUMBERS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        wrong = "" if number else "a number"
    elif keyword == "type":
        kinds = cast("list[object]", value) if isinstance(value, list) else [value]
        wrong = "" if kinds and all(k in TYPES for k in kinds) else f"of {', '.join(TYPES)}"
    elif keyword == "pattern":
        wrong = _wrong_pattern(value)
    if wrong:
        raise SchemaProblem(place, "not valid", f"Give {wrong}")


def _wrong_pattern(value: object) -> str:
    if not isinstance(value, str):
        return "a regular expression"
    try:
        Pattern(value)
    except PatternProblem as problem:
        return f"a regular expression without what is wrong in this one: {problem}"
    return ""


def _check_reference(schema: Schema, path: tuple[str, ...], root: Schema) -> None:
    reference = schema.get("$ref")
    if reference is None:
        return
    known = [f"#/$defs/{name}" for name in root.get("$defs", {})]
    if reference not in known:
        raise SchemaProblem(
            (*path, "$ref"), "this refers to nothing", "Refer to #/$defs/NAME of the same schema"
        )
