"""citations: they exist, and say what the sentence says."""

from typing import Any

import pytest

from evals.evaluators.samples import score
from trimtab.datasets.case import Case
from trimtab.evals.evaluator import Sample, Score
from trimtab.evals.evaluators.citations import EVALUATOR

SOURCES = ["Refunds are paid within ten days.", "A parcel may weigh 30 kg."]


def said(text: str, *, ids: object = None, **options: Any) -> Score:
    expected = {} if ids is None else {"source_ids": ids}
    case = Case(id="c", sources=SOURCES, expected=expected)
    return score(EVALUATOR, Sample(case=case, prompt_text="", text=text), options)


def test_supported() -> None:
    right = said("Refunds are paid within ten days [1]. A parcel may weigh 30 kg [2].")
    assert (right.value, right.label) == (1, "supported")
    assert said("Refunds are paid within 10 days [a-1].", ids=["a-1", "b-2"]).value == 1
    assert said("A parcel may weigh 30 kg [1].", first=0).value == 1
    assert said("Refunds take ten days and parcels may weigh 30 kg [1, 2].").value == 1


def test_the_wrong_source() -> None:
    wrong = said("A parcel may weigh 30 kg [1].")
    assert (wrong.value, wrong.label) == (0, "unsupported")
    assert wrong.reason.startswith("the cited source does not support 'A parcel may weigh 30 kg.'")
    assert said("A parcel may weigh 30 kg [1].", supported=False).label == "exist"


def test_no_such_source() -> None:
    wrong = said("Refunds are paid within ten days [3].")
    assert (wrong.value, wrong.label) == (0, "no_such_source")
    assert wrong.reason == "[3] names no source"


def test_an_answer_that_cites_nothing() -> None:
    assert said("Refunds are paid within ten days.").status == "not_applicable"
    assert said("Refunds are paid within ten days.", required=True).label == "none"


@pytest.mark.parametrize("ids", [["a-1"], "a-1", [1, 2]])
def test_ids_that_do_not_fit_the_sources_are_unmeasured(ids: object) -> None:
    assert said("Refunds [1].", ids=ids).status == "unmeasured"


def test_without_sources_it_does_not_apply() -> None:
    assert score(EVALUATOR, "As told [1].").status == "not_applicable"
