"""Both forms of schemas, and what is refused."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.prompts.schema import TYPES, SchemaProblem, parse_schema


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else "string"


def test_the_short_form_becomes_a_closed_object() -> None:
    made = parse_schema(
        {
            "ticket": "string, what they wrote",
            "locale?": "string",
            "tags(array, of the ticket)": "string",
            "user(object)": {"name": "string", "age?": "integer"},
            "tone?(enum)": ["warm", "dry", None],
            "rest": "any",
        }
    )
    assert made["required"] == ["ticket", "tags", "user", "rest"]
    assert made["additionalProperties"] is False
    assert made["properties"] == {
        "ticket": {"type": "string", "description": "what they wrote"},
        "locale": {"type": "string"},
        "tags": {
            "type": "array",
            "items": {"type": "string"},
            "description": "of the ticket",
        },
        "user": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "tone": {"enum": ["warm", "dry", None]},
        "rest": {},
    }


def test_other_fields_of_a_type() -> None:
    assert parse_schema({"(*)": "number"})["additionalProperties"] == {"type": "number"}
    assert parse_schema("string") == {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"$defs": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"enum": ["a", 1]},
    ],
)
def test_json_schema_stays_as_it_is(schema: dict[str, Any]) -> None:
    assert parse_schema(schema) == schema


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (3, ()),
        ({"a": "sting"}, ("a",)),
        ({"a": 3}, ("a",)),
        ({"a": "array"}, ("a",)),
        ({"a b": "string"}, ("a b",)),
        ({"a(map)": "string"}, ("a(map)",)),
        ({"a(enum)": []}, ("a(enum)",)),
        ({"a(object)": "string"}, ("a(object)",)),
        ({"a": "string", "a?": "string"}, ("a?",)),
        ({"type": "object", "properties": {"a": {"type": "strin"}}}, ("properties", "a", "type")),
        ({"$schema": "x", "patternProperties": {}}, ("patternProperties",)),
        ({"type": "string", "pattern": "("}, ("pattern",)),
        ({"type": "string", "maxLength": -1}, ("maxLength",)),
        ({"type": "number", "minimum": "1"}, ("minimum",)),
        ({"type": "object", "required": "a"}, ("required",)),
        ({"type": "array", "items": 3}, ("items",)),
        ({"anyOf": []}, ("anyOf",)),
        ({"properties": {"a": {"$ref": "#/$defs/no"}}}, ("properties", "a", "$ref")),
        ({"properties": {"a": {"$ref": "http://x/y"}}}, ("properties", "a", "$ref")),
    ],
)
def test_what_is_refused_and_where(written: object, path: tuple[str, ...]) -> None:
    with pytest.raises(SchemaProblem) as caught:
        parse_schema(written)
    assert caught.value.path == path
    assert caught.value.remedy


def test_what_is_nested_too_deeply() -> None:
    with pytest.raises(SchemaProblem, match="too deeply"):
        parse_schema(nested(40))
    deep: Any = {"type": "string"}
    for _ in range(40):
        deep = {"type": "array", "items": deep}
    with pytest.raises(SchemaProblem, match="too deeply"):
        parse_schema(deep)


KEYS = st.sampled_from(
    ["a", "a?", "b(array)", "c(enum)", "(*)", "type", "properties", "items", "$ref", "enum", "a b"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from([*TYPES, "any", "x, y", ""])
WRITTEN = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)


@given(WRITTEN)
def test_anything_is_a_schema_or_a_problem(written: object) -> None:
    with contextlib.suppress(SchemaProblem):
        assert isinstance(parse_schema(written), dict)
