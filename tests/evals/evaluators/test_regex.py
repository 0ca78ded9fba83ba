"""regex: patterns, and those that would never end."""

import pytest

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluators.regex import EVALUATOR


@pytest.mark.parametrize(
    ("options", "value", "label"),
    [
        ({"pattern": r"order \d{4}"}, 1, ""),
        ({"pattern": [r"order", r"\d{5}"]}, 0, "no_match"),
        ({"none": r"(?i)sorry"}, 1, ""),
        ({"none": [r"order"]}, 0, "forbidden"),
        ({"pattern": r"Your order", "whole": True}, 0, "no_match"),
        ({"pattern": r"Your order.*thanks", "whole": True, "dot_all": True}, 1, ""),
        ({"pattern": r"^thanks$"}, 0, "no_match"),
        ({"pattern": r"^thanks$", "multiline": True}, 1, ""),
        ({"pattern": r"YOUR", "ignore_case": True}, 1, ""),
        ({"pattern": r"YOUR"}, 0, "no_match"),
    ],
)
def test_patterns(options: dict[str, object], value: float, label: str) -> None:
    said = score(EVALUATOR, "Your order 1234\nthanks", options)
    assert (said.status, said.value, said.label) == ("measured", value, label)


def test_patterns_of_the_case() -> None:
    answer = sample("id 77", expected={"regex": r"id \d+", "regex_none": ["error"]})
    assert score(EVALUATOR, answer).value == 1
    assert score(EVALUATOR, sample("an error", expected={"regex_none": ["error"]})).value == 0
    assert score(EVALUATOR, "x").status == "not_applicable"


def test_a_pattern_that_would_never_end_is_unmeasured_and_told() -> None:
    said = score(EVALUATOR, "a" * 64 + "b", {"pattern": r"(a+)+$", "limit_s": 0.2})
    assert (said.status, said.value) == ("unmeasured", None)
    assert said.reason.startswith("the search took longer than 0.2 s; a repeat inside a repeat")


def test_what_is_no_pattern_is_refused_before_anything_is_spent() -> None:
    with pytest.raises(UsageError, match=r"'\(' is no pattern of Python's `re`: missing \)"):
        score(EVALUATOR, "x", {"pattern": "("})
    problem = EVALUATOR.problem_of(sample("", expected={"regex": "("}).case)
    assert problem.startswith("`expected` of the case: '(' is no pattern")
    assert score(EVALUATOR, sample("x", expected={"regex": "("})).status == "unmeasured"


def test_a_pattern_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(UsageError, match=r"it is too large"):
        score(EVALUATOR, "x", {"pattern": "(" * 5_000 + ")" * 5_000})
