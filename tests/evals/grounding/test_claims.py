"""Sentences, clauses, and those that state nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.evals.grounding.claims import (
    is_abstention,
    is_courtesy,
    is_heading,
    sentences,
    split_claims,
    without_marks,
)


def claims(answer: str) -> list[str]:
    return [claim.text for claim in split_claims(answer)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("One is here. Two is there.", ["One is here.", "Two is there."]),
        ("Dr. Smith met J. R. Jones at 3 p.m. in the U.S. capital.", None),
        ("It costs 3.50 euros, i.e. nothing.", None),
        ("A novel.Robert wrote it.", ["A novel.", "Robert wrote it."]),
        ("- first thing\n- second thing", ["first thing", "second thing"]),
        ("1. Open it\n2. Close it", ["Open it", "Close it"]),
        ("It is free, but parking costs 3 euros.", ["It is free", "but parking costs 3 euros."]),
        ("Pay early; pets need consent.", ["Pay early", "pets need consent."]),
        ("今日は月曜です。明日は火曜です。", ["今日は月曜です。", "明日は火曜です。"]),
        ("1932", ["1932"]),
        ("7", ["7"]),
        ("", []),
        (" \n ", []),
        ("...", []),
    ],
)
def test_claims(answer: str, expected: list[str] | None) -> None:
    assert claims(answer) == ([answer] if expected is None else expected)


@given(st.text(alphabet="ab .!?\n;,-1é。", max_size=60))
def test_a_claim_stands_where_it_says(answer: str) -> None:
    for claim in split_claims(answer):
        assert answer[claim.start : claim.end] == claim.text
    ends = [0, *(place for span in sentences(answer) for place in span)]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    "claim",
    [
        "The documents do not say.",
        "The passage doesn't mention parking.",
        "I could not find anything about it in the documents.",
        "There is no information about weekends in the document.",
        "The date is not given in the text.",
        "Nothing in the sources mentions parking.",
        "This cannot be determined.",
        "It does not say whether the fee is due.",
        "Die Dokumente enthalten keine Angaben zum Umtausch.",
        "Le document ne dit pas s'il y a un parking.",
        "El documento no menciona el precio.",
        "De tekst zegt niets over de prijs.",
    ],
)
def test_abstentions(claim: str) -> None:
    assert is_abstention(claim)


@pytest.mark.parametrize(
    "claim",
    [
        "The contract is not valid in Texas.",
        "Gift cards cannot be refunded.",
        "The policy does not cover theft.",
        "Customers did not receive the parcel.",
        "No pets are allowed.",
    ],
)
def test_a_denial_of_the_world_is_no_abstention(claim: str) -> None:
    assert not is_abstention(claim)


def test_courtesies() -> None:
    for claim in ("Thanks for asking!", "Great question!", "I hope this helps.", "Of course."):
        assert is_courtesy(claim), claim
    for claim in (
        "Of course, gift cards can be refunded.",
        "Thank you for waiting, your refund was approved.",
        "I hope this helps 30 people.",
        "Sorry, cards cannot be refunded.",
    ):
        assert not is_courtesy(claim), claim


def test_headings() -> None:
    for claim in ("Here are the steps:", "**Key Points**", "## What to do", "Summary:**"):
        assert is_heading(claim), claim
    for claim in ("It has 3 parts:", "It is open.", "Revenue: high"):
        assert not is_heading(claim), claim


def test_marks_are_blanked_and_nothing_moves() -> None:
    answer = "As passage 2 says [1, 3][doc-a], it weighs 4 kg. Step 2: wait. 2) Section 4 holds."
    blank = without_marks(answer)
    assert len(blank) == len(answer)
    assert " ".join(blank.split()) == "As says , it weighs 4 kg. : wait. Section 4 holds."
