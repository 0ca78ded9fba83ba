"""Both orders of two answers, and what they tell of a judge."""

from itertools import product
from typing import get_args

import pytest

from trimtab.evals.judges.position import Order, position_of, settle


@pytest.mark.parametrize(
    ("candidate_first", "candidate_second", "value", "label"),
    [
        ("first", "second", 1, "better"),
        ("second", "first", -1, "worse"),
        ("tie", "tie", 0, "tie"),
        ("first", "first", 0, "first both times"),
        ("second", "second", 0, "second both times"),
        ("first", "tie", 0, "tie one way"),
        ("tie", "second", 0, "tie one way"),
        ("tie", "first", 0, "tie one way"),
        ("second", "tie", 0, "tie one way"),
    ],
)
def test_who_contradicts_itself_has_seen_a_tie(
    candidate_first: Order, candidate_second: Order, value: int, label: str
):
    assert settle(candidate_first, candidate_second) == (value, label)


def test_the_other_side_sees_the_opposite():
    """With the two answers swapped, the verdicts of the two orders trade places."""
    for one, other in product(get_args(Order), repeat=2):
        assert settle(one, other).value == -settle(other, one).value


def test_a_judge_that_likes_the_first_place_is_found():
    labels = ["better"] * 30 + ["worse"] * 20 + ["tie"] * 10
    labels += ["first both times"] * 15 + ["second both times"] * 2 + ["tie one way"] * 3
    found = position_of([*labels, "pass", ""])
    assert found is not None
    assert found.rows == 80
    assert found.consistent.value == pytest.approx(60 / 80)
    assert (found.first_twice, found.second_twice) == (15, 2)
    assert found.p == pytest.approx(0.00235, abs=1e-5)


def test_without_verdicts_both_ways_nothing_is_said():
    assert position_of([]) is None
    assert position_of(["pass", "fail"]) is None
    found = position_of(["better"])
    assert found is not None
    assert (found.consistent.value, found.p) == (1, 1)
