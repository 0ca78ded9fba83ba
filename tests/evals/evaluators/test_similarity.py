"""similarity: to the expected answer, or the nearest of several."""

from typing import Any

from evals.evaluators.samples import sample, score
from trimtab.evals.evaluator import Score
from trimtab.evals.evaluators.similarity import EVALUATOR


def said(text: str, expected: dict[str, Any], **options: Any) -> Score:
    return score(EVALUATOR, sample(text, expected=expected), options)


def test_labels_and_values() -> None:
    expected = {"answer": "Refunds arrive within ten days"}
    like = said("Refunds arrive within 10 days.", expected)
    assert (like.label, like.value) == ("like", 1)
    assert said("Cats are nice", expected).label == "unlike"
    assert said("Refunds do not arrive within 10 days", expected).label == "partly"


def test_the_nearest_of_several_counts() -> None:
    expected = {"answer": ["It is Rome", "Paris"], "answers": ["The city of light"]}
    assert said("the city of light", expected).label == "like"
    assert said("Paris", expected).value == 1


def test_more_may_be_said_if_asked() -> None:
    expected = {"answer": "Paris"}
    text = "The capital of France has always been Paris, on the Seine."
    assert said(text, expected).label != "like"
    assert said(text, expected, ignore_extra=True).value == 1


def test_without_an_expected_answer_it_does_not_apply() -> None:
    assert said("x", {}).status == "not_applicable"
    assert said("x", {"answers": []}).status == "not_applicable"
