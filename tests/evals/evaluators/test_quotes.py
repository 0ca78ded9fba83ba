"""quotes: quotations that stand in the sources."""

from typing import Any

import pytest

from evals.evaluators.samples import score
from trimtab.datasets.case import Case
from trimtab.evals.evaluator import Sample, Score
from trimtab.evals.evaluators.quotes import EVALUATOR

SOURCES = [
    "Refunds are paid\n within ten days,  and gift cards can't be refunded.",
    "図書館は月曜日に休みます。",
]


def said(text: str, **options: Any) -> Score:
    case = Case(id="c", sources=SOURCES)
    sample = Sample(case=case, prompt_text="He wrote that the lake is deep.", text=text)
    return score(EVALUATOR, sample, options)


@pytest.mark.parametrize(
    "text",
    [
        'It says "refunds are paid within ten days."',
        "It says “Refunds are paid within ten days,” and no more.",
        "It says „Refunds are paid within ten days“.",
        "It says «refunds are paid within ten days».",
        "It says 'gift cards can't be refunded'.",
        "It says \u2018gift cards can\u2019t be refunded\u2019.",
        "It says “Refunds are paid … and gift cards can't be refunded”.",
        "It says “Refunds are paid [...] and gift cards”.",
        "It says “[these] gift cards can't be refunded”.",
        "So:\n> Refunds are paid\n> within ten days",
        "「図書館は月曜日に休みます。」と書いてあります。",
        "You wrote “the lake is deep”.",
    ],
)
def test_verbatim(text: str) -> None:
    assert (said(text).value, said(text).label) == (1, "verbatim")


@pytest.mark.parametrize(
    "text",
    [
        'It says "refunds are paid within six days".',
        "It says “gift cards … refunds are paid”.",
        "It says 'gift cards can be refunded'.",
        "So:\n> Refunds are never paid",
        "「図書館は木曜日に休みます。」と書いてあります。",
        'First "refunds are paid within ten days", then "nobody is ever paid back".',
    ],
)
def test_not_in_the_sources(text: str) -> None:
    found = said(text)
    assert (found.value, found.label) == (0, "not_in_sources")
    assert found.reason.startswith("no source has '")


@pytest.mark.parametrize(
    "text", ["Nothing quoted.", 'The "refund" law', "the dogs' and cats' food"]
)
def test_short_or_no_quotations_are_not_looked_at(text: str) -> None:
    assert said(text).status == "not_applicable"
    assert said(text, required=True).value == 0


def test_options() -> None:
    assert said('The "refund law" says', min_words=2).value == 0
    assert said('It says "REFUNDS are paid within"', case_sensitive=True).value == 0
    assert said("You wrote “the lake is deep”.", from_prompt=False).value == 0


def test_without_sources_it_does_not_apply() -> None:
    assert score(EVALUATOR, 'It says "refunds are paid".').status == "not_applicable"
