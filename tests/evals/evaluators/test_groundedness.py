"""groundedness: the evaluator and its options."""

from typing import Any

import pytest

from evals.evaluators.samples import HERE, score
from trimtab.datasets.case import Case
from trimtab.errors import UsageError
from trimtab.evals.evaluator import Particular, Sample, Score
from trimtab.evals.evaluators.groundedness import EVALUATOR

SOURCE = "Refunds are paid within ten days. Gift cards cannot be refunded."


def said(text: str, prompt: str = "", **options: Any) -> Score:
    return said_of([SOURCE], text, prompt, **options)


def said_of(sources: list[str], text: str, prompt: str = "", **options: Any) -> Score:
    variables = {"asked": "Is the Zephyr paid within ten days?", "n": 1}
    case = Case(id="c", variables=variables, sources=sources)
    return score(EVALUATOR, Sample(case=case, prompt_text=prompt, text=text), options)


def test_a_rate_of_hallucination() -> None:
    assert EVALUATOR.metric == "hallucination"
    assert not EVALUATOR.higher_is_better
    right, wrong = said("Refunds take ten days."), said("Refunds are paid within 30 days.")
    assert (right.value, right.label, right.reason) == (0, "grounded", "")
    assert (wrong.value, wrong.label) == (1, "unsupported")
    assert wrong.reason == "'Refunds are paid within 30 days.': no source has '30 days'"


def test_the_support_itself() -> None:
    options = {"as": "score"}
    right = said("Refunds are paid within ten days.", **options).value
    wrong = said("Refunds are paid within 30 days.", **options).value
    assert right is not None
    assert wrong is not None
    assert 0 < wrong < 0.5 < right < 1
    evaluator = EVALUATOR.build(options, HERE)
    assert isinstance(evaluator, Particular)
    assert (evaluator.metric, evaluator.kind) == ("groundedness", "score")
    assert evaluator.higher_is_better


@pytest.mark.parametrize("sources", [[], ["", " \n"]])
def test_without_sources_it_does_not_apply(sources: list[str]) -> None:
    assert said_of(sources, "Refunds take ten days.").status == "not_applicable"


@pytest.mark.parametrize("text", ["The documents do not say.", "", "Thank you!"])
def test_what_states_nothing_is_grounded(text: str) -> None:
    found = said(text)
    assert (found.value, found.label, found.reason) == (0, "grounded", "it states nothing")


def test_the_threshold_is_an_option() -> None:
    text = "Refunds are paid within about two weeks."
    assert said(text, threshold=0.999).value == 1
    assert said(text, threshold=0.001).value == 0


def test_the_question_is_what_the_prompt_says_beside_the_sources() -> None:
    text = "The Zephyr is paid within ten days."
    options = {"as": "score"}
    alone = said(text, **options).value
    asked = said(text, "Is the Zephyr paid within ten days?", **options).value
    assert alone is not None
    assert asked is not None
    assert asked > alone
    assert said(
        text, f"Context: {SOURCE}\nIs the Zephyr paid within ten days?", **options
    ).value == (pytest.approx(asked, abs=0.05))
    assert said(text, question="asked", **options).value == pytest.approx(asked)


def test_a_prompt_that_holds_the_sources_is_no_support_of_its_own() -> None:
    prompt = f"Answer from this: {SOURCE}"
    assert said("Gift cards can be refunded.", prompt).value == 1


@pytest.mark.parametrize("name", ["none", "n"])
def test_a_question_that_is_not_there_is_unmeasured(name: str) -> None:
    assert said("x", question=name).status == "unmeasured"


@pytest.mark.parametrize(
    "options", [{"threshold": 0}, {"threshold": 1}, {"as": "x"}, {"as_": "rate"}]
)
def test_wrong_options(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"groundedness"):
        EVALUATOR.build(options, HERE)
