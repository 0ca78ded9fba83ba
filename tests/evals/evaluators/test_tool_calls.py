"""tool_calls: names, arguments, order, and calls too many."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.evaluators.samples import sample, score
from trimtab.evals.evaluator import Score
from trimtab.evals.evaluators.tool_calls import EVALUATOR
from trimtab.evals.pairing import pair_all
from trimtab.types.experiments import ToolCall

LOOK = {"name": "look_up", "arguments": {"order": 7}}
REFUND = {"name": "refund", "arguments": {"order": 7, "why": {"code": "late"}}}


def said(expected: list[dict[str, Any]], *made: tuple[str, str], **options: Any) -> Score:
    calls = tuple(ToolCall(name=name, arguments=arguments) for name, arguments in made)
    return score(
        EVALUATOR, sample("", expected={"tool_calls": expected}, tool_calls=calls), options
    )


CALLS: list[tuple[Any, ...]] = [
    ([LOOK], [("look_up", '{"order": 7}')], {}, 1, ""),
    ([LOOK], [("look_up", '{"order": 7.0, "deep": true}')], {}, 1, ""),
    ([LOOK], [("look_up", '{"order": 7, "x": 1}')], {"arguments": "exact"}, 0, "arguments"),
    ([LOOK], [("look_up", '{"order": 7}')], {"arguments": "exact"}, 1, ""),
    ([LOOK], [("look_up", '{"order": 8}')], {}, 0, "arguments"),
    ([LOOK], [("look_up", '{"order": 8}')], {"arguments": "ignore"}, 1, ""),
    ([LOOK], [("look_up", "{order: 7}")], {}, 0, "arguments"),
    ([LOOK], [("look_up", "[]")], {}, 0, "arguments"),
    ([LOOK], [("refund", "{}")], {}, 0, "missing_call"),
    ([LOOK], [], {}, 0, "missing_call"),
    ([{"name": "ping"}], [("ping", "")], {}, 1, ""),
    ([{"name": "ping"}], [("ping", "no json")], {}, 1, ""),
    ([{"name": "ping", "arguments": {}}], [("ping", "")], {}, 1, ""),
    ([{"name": "ping", "arguments": {}}], [("ping", "no json")], {}, 0, "arguments"),
    ([REFUND], [("refund", '{"order": 7, "why": {"code": "late", "x": 1}}')], {}, 1, ""),
    ([REFUND], [("refund", '{"order": 7, "why": {"code": "lost"}}')], {}, 0, "arguments"),
    ([], [], {}, 1, ""),
    ([], [("ping", "{}")], {}, 0, "extra_call"),
    ([], [("ping", "{}")], {"extra": True}, 1, ""),
    ([LOOK, LOOK], [("look_up", '{"order": 7}')], {}, 0, "missing_call"),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "made", "options", "value", "label"), CALLS)
def test_calls(
    expected: list[dict[str, Any]],
    made: list[tuple[str, str]],
    options: dict[str, Any],
    value: float,
    label: str,
) -> None:
    score = said(expected, *made, **options)
    assert (score.value, score.label) == (value, label)


def test_order_counts_where_it_is_said_so() -> None:
    made = [("refund", '{"order": 7, "why": {"code": "late"}}'), ("look_up", '{"order": 7}')]
    assert said([LOOK, REFUND], *made).value == 1
    wrong = said([LOOK, REFUND], *made, ordered=True)
    assert (wrong.value, wrong.label) == (0, "order")
    assert said([LOOK, REFUND], *reversed(made), ordered=True).value == 1
    between = [made[1], ("ping", "{}"), made[0]]
    assert said([LOOK, REFUND], *between, ordered=True).value == 0
    assert said([LOOK, REFUND], *between, ordered=True, extra=True).value == 1


def test_a_call_that_fits_two_expected_ones_is_given_to_the_one_that_needs_it() -> None:
    loose: dict[str, Any] = {"name": "t", "arguments": {}}
    strict: dict[str, Any] = {"name": "t", "arguments": {"a": 1}}
    made = [("t", '{"a": 1}'), ("t", '{"b": 1}')]
    assert said([loose, strict], *made).value == 1
    assert said([strict, strict], *made).value == 0


def test_without_expected_calls_it_does_not_apply() -> None:
    assert score(EVALUATOR, "x").status == "not_applicable"


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), max_size=4))
def test_pairs_are_found_where_there_are_any(fits: list[list[bool]]) -> None:
    possible = any(
        all(row[column] for row, column in zip(fits, columns, strict=True))
        for columns in permutations(range(4), len(fits))
    )
    assert pair_all(fits) == possible
