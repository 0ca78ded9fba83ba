"""json_schema: answers against the schema of the prompt, or of the suite."""

import pytest

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluators.json_schema import EVALUATOR
from trimtab.prompts.schema import parse_schema

SCHEMA = parse_schema({"team(enum)": ["billing", "technical"], "urgent": "boolean"})
GOOD = '{"team": "billing", "urgent": true}'


@pytest.mark.parametrize(
    ("text", "value", "label"),
    [
        (GOOD, 1, ""),
        (f"\n {GOOD}\n", 1, ""),
        ('{"team": "sales", "urgent": true}', 0, "unfit"),
        ('{"team": "billing"}', 0, "unfit"),
        ("[]", 0, "unfit"),
        ("", 0, "not_json"),
        ("The team is billing.", 0, "not_json"),
        (f"Here it is: {GOOD}", 0, "not_json"),
        ('{"team": "billing", "urgent": NaN}', 0, "not_json"),
        ("[" * 100_000, 0, "not_json"),
        (f"```json\n{GOOD}\n```", 0, "fenced"),
        ("```json\nnothing\n```", 0, "not_json"),
    ],
)
def test_against_the_schema_of_the_prompt(text: str, value: float, label: str) -> None:
    said = score(EVALUATOR, sample(text, output_schema=SCHEMA))
    assert (said.status, said.value, said.label) == ("measured", value, label)


def test_the_reason_names_the_place_and_not_the_value() -> None:
    said = score(EVALUATOR, sample('{"team": "secret", "urgent": 1}', output_schema=SCHEMA))
    assert said.reason == (
        "`team` must be one of the values that the schema lists; "
        "`urgent` must be boolean, and is integer"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"```json\n{GOOD}\n```", 1),
        (f"  ```JSON\r\n{GOOD}\n```  \n", 1),
        (f"```\n{GOOD}\n```", 1),
        (GOOD, 1),
        (f"Here:\n```json\n{GOOD}\n```", 0),
        (f"```json\n{GOOD}\n```\n```json\n{GOOD}\n```", 0),
        (f"```python\n{GOOD}\n```", 0),
        ("```json\nnothing\n```", 0),
        ("```", 0),
        ("```json", 0),
    ],
)
def test_one_fence_is_fine_where_it_is_said_so(text: str, value: float) -> None:
    said = score(EVALUATOR, sample(text, output_schema=SCHEMA), {"fenced": True})
    assert said.value == value


def test_the_suite_may_have_a_schema_of_its_own() -> None:
    answer = sample('{"n": 1}', output_schema=SCHEMA)
    assert score(EVALUATOR, answer, {"schema": {"n": "integer"}}).value == 1
    assert score(EVALUATOR, answer, {"schema": {"n": "string"}}).value == 0


def test_without_a_schema_it_does_not_apply() -> None:
    assert score(EVALUATOR, "{}").status == "not_applicable"


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(UsageError, match=r"`schema\.n` 'integr' is no type\. Give one of"):
        score(EVALUATOR, "{}", {"schema": {"n": "integr"}})


def test_a_check_that_would_never_end_is_unmeasured() -> None:
    inner = {"type": "object", "properties": {"x": {"$ref": "#/$defs/node"}}}
    schema = {
        "$defs": {"node": {"anyOf": [inner, inner]}},
        "$ref": "#/$defs/node",
        "type": "object",
    }
    answer = '{"x": ' * 40 + "1" + "}" * 40
    said = score(EVALUATOR, answer, {"schema": schema, "limit_s": 0.2})
    assert said.status == "unmeasured"
    assert "took longer than 0.2 s" in said.reason
