"""Which cases flip, and which never tell setups apart."""

import numpy as np
import pytest

from trimtab.datasets.case import Case
from trimtab.evals.case_facts import CaseFact, facts_of_cases
from trimtab.evals.scores import ABSENT, MEASURED, NOT_APPLICABLE, MetricScores
from trimtab.types.experiments import MetricKind

NAN = float("nan")


def scores(
    *rows: list[float], metric: str = "accuracy", kind: MetricKind = "rate", better: bool = True
) -> MetricScores:
    values = np.array(rows, np.float64)
    status = np.where(np.isnan(values), ABSENT, MEASURED).astype(np.uint8)
    return MetricScores(metric, kind, better, values, status, asks=False)


def fact(*setups: MetricScores) -> CaseFact:
    """Of the first case."""
    count = len(setups[0].values)
    cases = [Case(id=f"c{number}") for number in range(count)]
    return facts_of_cases(cases, [[one] for one in setups]).cases[0]


@pytest.mark.parametrize(
    ("row", "flip"),
    [
        ([1, 1, 1, 1], 0.0),
        ([1, 0], 1.0),
        ([1, 1, 0], 2 / 3),
        ([1, 1, 1, 0, 0], 0.6),  # 2 * 3 * 2 / (5 * 4)
        ([1, NAN, 0], 1.0),
        ([1, NAN, NAN], None),
    ],
)
def test_the_flip_rate_is_of_two_answers(row: list[float], flip: float | None):
    found = fact(scores(row, [1.0] * len(row)))
    assert found.flip == (None if flip is None else pytest.approx(flip))
    assert found.metric == ("accuracy" if flip else "")


def test_scores_flip_from_a_tenth_on():
    assert fact(scores([0.50, 0.55], kind="score")).flip == 0.0
    assert fact(scores([0.50, 0.65], kind="score")).flip == 1.0


def test_flip_rates_of_setups_are_averaged():
    assert fact(scores([1, 0]), scores([1, 1])).flip == 0.5


def test_one_setup_tells_nothing_of_telling_apart():
    found = fact(scores([0, 0]))
    assert (found.setups, found.says) == (1, "")


@pytest.mark.parametrize(
    ("one", "two", "says"),
    [
        ([1, 1], [1, 1], "all good"),
        ([0, 0], [0, 0], "all bad"),
        ([1, 0], [0, 1], "alike"),
        ([1, 1], [1, 0], ""),
        ([1, NAN], [1, 1], "all good"),
        ([NAN, NAN], [1, 1], ""),
    ],
)
def test_what_never_tells_setups_apart(one: list[float], two: list[float], says: str):
    assert fact(scores(one), scores(two)).says == says


def test_where_less_is_better_nothing_is_good():
    zero = scores([0, 0], metric="refusal", better=False)
    assert fact(zero, zero).says == "all good"


def test_one_metric_of_several_is_enough_to_tell_apart():
    case = [Case(id="c0")]
    same = scores([1, 1])
    found = facts_of_cases(
        case,
        [
            [same, scores([0.2, 0.2], metric="tone", kind="score")],
            [same, scores([0.9, 0.9], metric="tone", kind="score")],
        ],
    ).cases[0]
    assert (found.says, found.lowest, found.highest) == ("", 0.2, 0.9)


def test_amounts_and_preferences_have_no_part():
    case = [Case(id="c0")]
    other = [
        scores([5, 900], metric="latency", kind="amount", better=False),
        scores([1, -1], metric="preference", kind="preference"),
    ]
    facts = facts_of_cases(case, [other, other])
    assert (facts.metrics, facts.flip, facts.cases[0].setups) == ([], None, 0)


def test_what_does_not_apply_has_no_part():
    one = scores([1, 1], [1, 1])
    one.status[0] = NOT_APPLICABLE
    found = facts_of_cases([Case(id="a"), Case(id="b")], [[one], [one]])
    assert [(case.setups, case.says) for case in found.cases] == [(0, ""), (2, "all good")]
    assert found.telling_nothing("all good") == ["b"]


def test_never_run():
    facts = facts_of_cases([Case(id="a")], [])
    assert (facts.setups, facts.flip, facts.cases[0].flip) == (0, None, None)
