"""exact: answers and labels."""

from typing import Any

import pytest

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluators.exact import EVALUATOR

LABELS = {"labels": ["billing", "billing dispute", "technical"]}


def said(text: str, answer: str | list[str], **options: Any):
    return score(EVALUATOR, sample(text, expected={"answer": answer}), options)


@pytest.mark.parametrize(
    ("text", "answer", "value"),
    [
        ("Paris", "paris", 1),
        (" **Paris**.\n", "Paris", 1),
        ("“Paris”", "paris", 1),
        ("Paris", ["London", "Paris"], 1),
        ("Paris, France", "Paris", 0),
        ("-5", "5", 0),
        ("3.5.", "3.5", 1),
        ("C#", "C", 0),
        ("", "Paris", 0),
    ],
)
def test_answers(text: str, answer: str | list[str], value: float) -> None:
    assert said(text, answer).value == value


def test_to_the_letter() -> None:
    assert said("Paris", "paris", case_sensitive=True).value == 0
    assert said("Paris.", "Paris", normalize=False).value == 0
    assert said("PARIS", "Paris", normalize=False).value == 1


@pytest.mark.parametrize(
    ("text", "answer", "value", "label"),
    [
        ("billing", "billing", 1, "billing"),
        ("Team: **Technical**", "technical", 1, "technical"),
        ("It goes to Technical.", "billing", 0, "technical"),
        ("A billing dispute.", "billing dispute", 1, "billing dispute"),
        ("A billing dispute.", "billing", 0, "billing dispute"),
        ("billing or technical", "billing", 0, "several_labels"),
        ("rebilling", "billing", 0, "no_label"),
        ("", "billing", 0, "no_label"),
    ],
)
def test_labels(text: str, answer: str, value: float, label: str) -> None:
    score = said(text, answer, **LABELS)
    assert (score.value, score.label) == (value, label)


def test_a_case_that_expects_no_label_is_unmeasured() -> None:
    assert said("billing", "sales", **LABELS).status == "unmeasured"


def test_without_an_expected_answer_it_does_not_apply() -> None:
    assert score(EVALUATOR, "x").status == "not_applicable"


def test_the_reason_shows_no_more_than_the_beginning() -> None:
    assert len(said("x" * 1_000, "y").reason) < 100


@pytest.mark.parametrize("labels", [["a", "A"], ["a", "**"], ["a", ""]])
def test_labels_that_nobody_can_tell_apart_are_refused(labels: list[str]) -> None:
    with pytest.raises(UsageError, match="labels"):
        said("x", "a", labels=labels)
