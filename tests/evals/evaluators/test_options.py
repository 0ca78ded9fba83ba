"""All evaluators that come with trimtab: how they are built, and that no text upsets them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from evals.evaluators.samples import nobody, sample
from evals.evaluators.tables import plain_kinds
from trimtab.datasets.case import Case
from trimtab.errors import UsageError
from trimtab.evals.evaluator import Sample
from trimtab.evals.options import words_of
from trimtab.evals.plain_kind import PlainKind
from trimtab.types.experiments import ToolCall

PLAIN = plain_kinds()
GOOD_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "contains": [{"all": ["a"], "none": ["b"], "whole_words": True}, {}],
    "cost": [{}],
    "exact": [{}, {"labels": ["a", "a b"]}, {"normalize": False}],
    "json_equal": [{}, {"unordered": True, "partial": True, "tolerance": {"[*]": 1}}],
    "json_schema": [{"schema": {"a?": "number"}, "fenced": True}],
    "language": [{"language": "de"}],
    "latency": [{}],
    "length": [{"max_words": 3, "max_characters": 9}],
    "numeric_range": [{"maximum": 3, "pick": "last"}, {"maximum": 3, "path": "a"}],
    "python_function": [],
    "regex": [{"pattern": r"\w+@\w+"}],
    "tool_calls": [{}, {"ordered": True, "extra": True}],
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
ANSWERS = st.text() | VALUES.map(str) | st.from_regex(r"[\[\]{}\",:0-9a-b.`\n -]*", fullmatch=True)


def kind_of(name: str) -> PlainKind[Any, Any]:
    (kind,) = [kind for kind in PLAIN if kind.name == name]
    return kind


def test_the_examples_here_are_of_all_of_them() -> None:
    assert set(GOOD_OPTIONS) <= {kind.name for kind in PLAIN}


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.name)
def test_an_unknown_option_is_named(kind: PlainKind[Any, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"{kind.name} has no option `colour`\. It has"):
        kind.build({"colour": "red"}, tmp_path)


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.name)
def test_every_option_and_every_key_is_described(kind: PlainKind[Any, Any]) -> None:
    for struct in (kind.options, kind.expected):
        assert all(words_of(struct).values())


@pytest.mark.parametrize(
    ("name", "options"),
    [(name, options) for name, several in GOOD_OPTIONS.items() for options in several],
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=ANSWERS, values=st.lists(VALUES, min_size=3, max_size=3), call=st.text(max_size=9))
@example(text="", values=[None, None, None], call="")
@example(text="[" * 50_000, values=[[], {}, ""], call="[" * 50_000)
@example(text='{"a": 1e308}', values=[-1e308, 10**400, "a"], call="{}")
def test_no_text_and_no_expectation_upsets_them(
    name: str, options: dict[str, Any], text: str, values: list[Any], call: str
) -> None:
    kind = kind_of(name)
    keys = sorted(kind.expected_keys() or ())
    expected = dict(zip(keys, values, strict=False))
    answer = Sample(
        case=Case(id="c", expected=expected),
        prompt_text="",
        text=text,
        tool_calls=(ToolCall(name="a", arguments=call),),
        output_tokens=len(text),
    )
    score = asyncio.run(kind.build(options, Path()).evaluate(answer, nobody))
    if score.status == "measured":
        assert score.value is not None
        assert 0 <= score.value <= 1 or kind.kind == "amount"
    else:
        assert score.value is None
    if kind.problem_of(answer.case):
        assert score.status == "unmeasured"


def test_a_wrong_expectation_is_named_and_unmeasured() -> None:
    answer = sample("x", expected={"tool_calls": [{"nam": "look_up"}]})
    score = asyncio.run(kind_of("tool_calls").build({}, Path()).evaluate(answer, nobody))
    assert score.status == "unmeasured"
    assert "expected.tool_calls[0]" in score.reason
