"""JSON values against schemas."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.prompts.schema import parse_schema
from trimtab.prompts.values import problems_of, with_defaults

NUMBER = {"type": "number", "minimum": 1, "exclusiveMaximum": 3}


def told(value: object, schema: Any) -> list[str]:
    return [str(problem) for problem in problems_of(value, parse_schema(schema))]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ({"a": "x"}, {"a": "string", "b?": "string"}),
        ({"a": 1.0}, {"a": "integer"}),
        ({"a": 1}, {"a": "number"}),
        ({"a": [1, 2]}, {"a(array)": "integer"}),
        ({"a": None}, {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}),
        ({"a": {"x": [1]}}, {"a": "any"}),
        (2.5, NUMBER),
        ("ab", {"type": "string", "pattern": "^a", "minLength": 2, "maxLength": 2}),
        ([1, True, "1", [1], [True]], {"type": "array", "uniqueItems": True}),
        (1, {"oneOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"k": 1}, {"(*)": "integer"}),
    ],
)
def test_what_fits(value: object, schema: object) -> None:
    assert told(value, schema) == []


@pytest.mark.parametrize(
    ("value", "schema", "problem"),
    [
        ({}, {"a": "string"}, "`a` is missing"),
        ({"a": "x", "b": 1}, {"a": "string"}, "`b` is not expected here"),
        ({"a": True}, {"a": "integer"}, "`a` must be integer, and is boolean"),
        ({"a": [1, "x"]}, {"a(array)": "integer"}, "`a[1]` must be integer, and is string"),
        ({"u": {"n": 1}}, {"u": {"n": "string"}}, "`u.n` must be string, and is integer"),
        ("x", {"enum": ["a"]}, "the value must be one of the values that the schema lists"),
        (True, {"$schema": "s", "const": 1}, "the value must be the value that the schema gives"),
        (0.5, NUMBER, "the value must be at least 1"),
        (3, NUMBER, "the value must be less than 3"),
        ("b", {"type": "string", "pattern": "^a"}, "the value does not match the pattern"),
        ([1, 2, 1.0], {"type": "array", "uniqueItems": True}, "`[2]` is there twice"),
        (1, {"oneOf": [{"type": "integer"}, {"type": "number"}]}, "fits 2 alternatives"),
        (None, {"anyOf": [{"type": "string"}]}, "fits none of the alternatives"),
    ],
)
def test_what_does_not_fit(value: object, schema: object, problem: str) -> None:
    assert problem in told(value, schema)[0]


def test_problems_never_show_the_value() -> None:
    secret = "hunter2"
    schemas: tuple[Any, ...] = (
        {"a": "integer"},
        {"a(enum)": ["x"]},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^z"}}},
    )
    for schema in schemas:
        assert secret not in "".join(told({"a": secret}, schema))


def test_a_schema_that_takes_nothing_of_itself_ends() -> None:
    schema = {"$defs": {"x": {"$ref": "#/$defs/x"}}, "properties": {"a": {"$ref": "#/$defs/x"}}}
    assert "nested too deeply" in told({"a": 1}, schema)[0]


@pytest.mark.timeout(60)  # to compare each with each would take an hour
def test_a_long_list_of_different_items_is_read_once() -> None:
    assert told(list(range(100_000)), {"type": "array", "uniqueItems": True}) == []


def test_at_most_so_many_problems() -> None:
    schema = parse_schema({"(*)": "integer"})
    assert len(problems_of({str(n): "x" for n in range(1_000)}, schema)) == 5


def test_defaults_of_the_schema_fill_in_what_is_not_there() -> None:
    schema = {"type": "object", "properties": {"a": {"default": 1}, "b": {"default": 2}}}
    assert with_defaults({"a": 5}, schema) == {"a": 5, "b": 2}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
)


@given(JSON)
def test_every_value_fits_what_allows_it_and_itself(value: object) -> None:
    assert told(value, {"$schema": "s"}) == []
    assert told(value, {"$schema": "s", "const": value}) == []
    assert told([value, value], {"type": "array", "uniqueItems": True}) != []
