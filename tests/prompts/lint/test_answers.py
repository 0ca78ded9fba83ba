"""Examples of answers, and schemas that providers take."""

from pathlib import Path
from typing import Any

import pytest

from prompts.files import file
from prompts.lint.projects import told
from trimtab.prompts.lint.answers import loose_places
from trimtab.prompts.schema import parse_schema

OUTPUT = "output: {schema: {team: string, score: number}}"


def test_examples_that_fit(tmp_path: Path) -> None:
    body = (
        '<<user>>\na\n<<assistant>>\n{"team": "a", "score": 1}\n<<user>>\nb\n'
        '<<assistant>>\n{# why #}{% raw %}{"team": "{{b}}", "score": 2.5}{% endraw %}'
    )
    assert told(tmp_path, file(body, OUTPUT), "wrong-example") == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"team": 1, "score": 1}', "`team` must be string, and is integer"),
        ('{"team": "a"}', "`score` is missing"),
        ('{"team": "a", "score": 1, "x": 1}', "`x` is not expected here"),
        ("Team a.", "is not JSON"),
        ('```json\n{"team": "a", "score": 1}\n```', "is not JSON"),
        ("[]", "must be object, and is array"),
        ('{% raw %}{"team": "{{a}}", "score": "{{b}}"}{% endraw %}', "`score` must be number"),
    ],
)
def test_examples_that_do_not(tmp_path: Path, answer: str, words: str) -> None:
    body = f"<<user>>\na\n<<assistant>>\n{answer}\n<<user>>\nb"
    (found,) = told(tmp_path, file(body, OUTPUT), "wrong-example")
    assert found.startswith("p.prompt.md:8: ")
    assert words in found


def test_answers_that_depend_on_variables_are_not_known_before(tmp_path: Path) -> None:
    body = '<<user>>\na\n<<assistant>>\n{"team": {{ team }}}'
    text = file(body, "input: {schema: {team: string}}", OUTPUT)
    assert told(tmp_path, text, "wrong-example") == []
    assert told(tmp_path, file("<<user>>\na\n<<assistant>>\nhi"), "wrong-example") == []


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        ({"a": "string", "b(array)": {"c": "integer"}}, []),
        ({"a?": "string"}, [((), "a may be left out")]),
        ({"a": "any"}, [(("properties", "a"), "any value is allowed")]),
        ({"a": "string", "(*)": "string"}, [((), "other fields are allowed")]),
        ({"a(array)": {"b?": "string"}}, [(("properties", "a", "items"), "b may be left out")]),
        ("string", [((), "strict output is an object")]),
        (
            {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"]},
            [((), "other fields"), (("properties", "a"), "other fields")],
        ),
        (
            {
                "$defs": {"x": {"allOf": [{"type": "string"}]}},
                "type": "object",
                "additionalProperties": False,
            },
            [(("$defs", "x"), "allOf")],
        ),
    ],
)
def test_where_a_schema_is_loose(written: Any, problems: list[tuple[tuple[str, ...], str]]) -> None:
    found = list(loose_places(parse_schema(written)))
    assert [path for path, _, _ in found] == [path for path, _ in problems]
    for (_, problem, remedy), (_, words) in zip(found, problems, strict=True):
        assert words in problem
        assert remedy


def test_the_line_of_a_loose_schema(tmp_path: Path) -> None:
    output = "output:\n  schema:\n    type: object\n    properties:\n      a: {type: object}"
    found = told(tmp_path, file("x", output), "loose-output")
    assert [line.split(": ")[0] for line in found] == ["p.prompt.md:4"] * 2 + ["p.prompt.md:7"]
