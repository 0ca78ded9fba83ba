"""json_equal: what may differ, and how much of a value is right."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluator import Particular, Score
from trimtab.evals.evaluators.json_equal import EVALUATOR
from trimtab.evals.json_compare import Leeway, TooMuch, compare

ITEMS = [{"sku": "a", "price": 10.0}, {"sku": "b", "price": 9.9}]
ORDER: dict[str, object] = {
    "id": 7,
    "total": 19.9,
    "items": ITEMS,
    "note": None,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=12,
)


def said(expected: object, answer: object, **options: Any) -> Score:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return score(EVALUATOR, sample(text, expected={"json": expected}), options)


def changed(**fields: object) -> dict[str, object]:
    return {**ORDER, **fields}


@pytest.mark.parametrize(
    ("expected", "answer", "value"),
    [
        (ORDER, ORDER, 1),
        (ORDER, dict(reversed(ORDER.items())), 1),
        (ORDER, changed(id=8), 0),
        (ORDER, changed(more=1), 0),
        (ORDER, {"id": 7}, 0),
        (1, 1.0, 1),
        (True, 1, 0),
        (None, None, 1),
        ({}, {}, 1),
        ({}, [], 0),
        ([], [1], 0),
        ([1, 2], [2, 1], 0),
        ("a", "a", 0),  # not JSON without quotes
        ("a", '"a"', 1),
        (10**400, 1.5, 0),
    ],
)
def test_equal_or_not(expected: object, answer: object, value: float) -> None:
    assert said(expected, answer).value == value


def test_the_reason_names_places() -> None:
    other = changed(id=8, more=1)
    del other["note"]
    reason = "`id` is not what is expected; `note` is missing; `more` is not expected"
    assert said(ORDER, other).reason == reason


@pytest.mark.parametrize(
    ("options", "answer", "value"),
    [
        ({"tolerance": {"total": 0.1}}, changed(total=20.0), 1),
        ({"tolerance": {"total": 0.1}}, changed(total=19.8), 1),
        ({"tolerance": {"total": 0.1}}, changed(total=20.1), 0),
        ({"tolerance": {"total": 0.1}}, changed(total="19.9"), 0),
        ({"tolerance": {"id": 1}}, changed(id=True), 0),
        ({"tolerance": {"items": 0.1}}, changed(items=[{"sku": "a", "price": 10.1},
                                                       {"sku": "b", "price": 9.8}]), 1),
        ({"tolerance": {"items[1].price": 0.1}}, changed(items=[{"sku": "a", "price": 10.1},
                                                                {"sku": "b", "price": 9.9}]), 0),
        ({"relative_tolerance": {"*": 0.01}}, changed(total=20.0, id=7.07), 1),
        ({"relative_tolerance": {"*": 0.01}}, changed(id=7.08), 0),
        ({"ignore": ["note", "more"]}, changed(note="x", more=1), 1),
        ({"ignore": ["items[*].price"]}, changed(items=[{"sku": "a"}, {"sku": "b"}]), 1),
        ({"ignore": ["items[*].price"]}, changed(items=[{"sku": "b"}, {"sku": "a"}]), 0),
        ({"extra": True}, changed(more={"x": 1}), 1),
        ({"unordered": True}, changed(items=list(reversed(ITEMS))), 1),
        ({"unordered": ["items"]}, changed(items=list(reversed(ITEMS))), 1),
        ({"unordered": ["note"]}, changed(items=list(reversed(ITEMS))), 0),
        ({"unordered": True}, changed(items=ITEMS[:1]), 0),
        ({"unordered": True}, changed(items=[*ITEMS, 1]), 0),
    ],
)  # fmt: skip
def test_what_may_differ(options: dict[str, Any], answer: object, value: float) -> None:
    assert said(ORDER, answer, **options).value == value


def test_lists_at_a_path_alone_lose_their_order() -> None:
    expected = {"tags": [["a", "b"], ["c"]]}
    assert said(expected, {"tags": [["c"], ["a", "b"]]}, unordered=["tags"]).value == 1
    assert said(expected, {"tags": [["c"], ["b", "a"]]}, unordered=["tags"]).value == 0
    assert said(expected, {"tags": [["c"], ["b", "a"]]}, unordered=True).value == 1


def test_items_within_a_tolerance_are_paired_so_that_all_fit() -> None:
    # 1.0 fits both, 1.1 only the first: whoever takes the nearest first is stuck.
    options = {"unordered": True, "tolerance": {"[*]": 0.1}}
    assert said([1.05, 0.95], [1.0, 1.1], **options).value == 1


@pytest.mark.parametrize(
    ("answer", "value", "label"),
    [
        (ORDER, 1, ""),
        (changed(id=8), 6 / 7, "6 of 7"),
        (changed(more={"x": 1, "y": 2}), 7 / 8, "7 of 8"),
        (changed(items=[]), 3 / 7, "3 of 7"),
        (changed(items="none"), 3 / 7, "3 of 7"),
        ("nothing", 0, "not_json"),
    ],
)
def test_partial_credit_counts_leaves(answer: object, value: float, label: str) -> None:
    score = said(ORDER, answer, partial=True)
    assert (score.value, score.label) == (pytest.approx(value), label)


def test_partial_credit_makes_it_a_score(tmp_path: Any) -> None:
    whole, partial = (EVALUATOR.build({"partial": on}, tmp_path) for on in (False, True))
    assert isinstance(whole, Particular)
    assert isinstance(partial, Particular)
    assert (whole.kind, partial.kind) == ("rate", "score")
    assert whole.metric == partial.metric == "accuracy"


def test_a_fence() -> None:
    assert said(1, "```json\n1\n```").value == 0
    assert said(1, "```json\n1\n```", fenced=True).value == 1
    assert said(1, "1", fenced=True).value == 1


def test_without_an_expected_value_it_does_not_apply() -> None:
    assert score(EVALUATOR, "{}").status == "not_applicable"


def test_long_lists_without_order_are_unmeasured() -> None:
    numbers = list(range(1_000))
    assert said(numbers, numbers).value == 1
    assert said(numbers, numbers, unordered=True).status == "unmeasured"
    with pytest.raises(TooMuch):
        compare(numbers, numbers, Leeway(unordered=None))


@pytest.mark.parametrize("path", ["a..b", "a[", "a[x]", ".a", "a.[0]", 'a["b', "[0]b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match=r"is no path\. Write a\.b, a\[0\]\.b"):
        said(1, 1, ignore=[path])


@given(VALUES, VALUES)
def test_only_equal_values_are_wholly_right(one: object, other: object) -> None:
    outcome = compare(one, other, Leeway())
    assert 0 <= outcome.points <= outcome.leaves
    is_equal = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert is_equal == (outcome.share == 1) == (not outcome.problems)


@given(st.lists(VALUES, max_size=5), st.randoms(use_true_random=False))
def test_any_order_is_right_where_order_does_not_count(items: list[object], random: Any) -> None:
    other = list(items)
    random.shuffle(other)
    assert compare(items, other, Leeway(unordered=None)).share == 1
