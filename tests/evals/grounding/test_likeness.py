"""How much two texts say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.evals.grounding.likeness import likeness

RIGHT = "Refunds arrive within ten days"


def test_from_the_same_to_nothing_in_common() -> None:
    order = [
        likeness(answer, RIGHT)
        for answer in (
            "Refunds arrive within ten days.",
            "Refunds are paid within ten days",
            "Refunds do not arrive within ten days",
            "Cats are nice",
        )
    ]
    assert order[0] == pytest.approx(1)
    assert order == sorted(order, reverse=True)
    assert order[-1] == 0


def test_numbers_must_agree_however_they_are_written() -> None:
    assert likeness("Refunds arrive within 10 days", RIGHT) == pytest.approx(1)
    assert likeness("Refunds arrive within 30 days", RIGHT) == 0
    assert likeness("It takes 90 minutes", "It takes 1.5 hours") > 0.5


def test_an_answer_may_say_more_if_asked() -> None:
    longer = "Thank you for waiting. Refunds arrive within ten days, on the card of the purchase."
    assert likeness(longer, RIGHT, ignore_extra=True) == pytest.approx(1)
    assert likeness(longer, RIGHT) < 0.8


def test_nothing_is_only_like_nothing() -> None:
    assert likeness("", "") == 1
    assert likeness("", RIGHT) == 0
    assert likeness("...", RIGHT) == 0


@given(st.text(max_size=40), st.text(max_size=40), st.booleans())
def test_it_is_from_zero_to_one(one: str, other: str, ignore_extra: bool) -> None:
    assert 0 <= likeness(one, other, ignore_extra=ignore_extra) <= 1 + 1e-9


@given(st.text(alphabet="abc 12.", max_size=30))
def test_a_text_is_like_itself(text: str) -> None:
    assert likeness(text, text) == pytest.approx(1)
