"""Area under the curve and thresholds."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from trimtab.evals.grounding.roc import area, threshold_figures, threshold_for

SCORES = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=20)


@given(SCORES, SCORES)
def test_the_area_is_that_of_mann_and_whitney(good: list[float], bad: list[float]) -> None:
    found = area(good, bad)
    u = mannwhitneyu(good, bad).statistic
    assert found.value == pytest.approx(u / len(good) / len(bad))
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


@given(SCORES, SCORES)
def test_changing_the_sides_turns_it_around(good: list[float], bad: list[float]) -> None:
    one, other = area(good, bad), area(bad, good)
    assert other.value == pytest.approx(1 - one.value)
    assert other.low == pytest.approx(1 - one.high)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = Random(20_261_130)
    truth = 0.760_25  # of two normal distributions one apart: Phi(1 / sqrt(2))
    held = 0
    for _ in range(400):
        good = [rng.gauss(1, 1) for _ in range(40)]
        bad = [rng.gauss(0, 1) for _ in range(30)]
        found = area(good, bad)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_a_perfect_separation_has_an_interval() -> None:
    found = area([2.0, 3.0, 4.0], [0.0, 1.0])
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025**0.5)


def test_thresholds() -> None:
    good, bad = [0.4, 0.7, 0.8, 0.9], [0.1, 0.2, 0.3, 0.75]
    balanced = threshold_for(good, bad)
    assert (balanced.recall, balanced.false_alarms) == (0.75, 0)
    assert 0.3 < balanced.value < 0.4
    assert balanced.balanced == 0.875
    strict = threshold_for([0.1, 0.9], [0.2, 0.3], most_false=0.0)
    assert (strict.recall, strict.false_alarms) == (0, 0)
    assert threshold_figures(good, bad, 0.75) == (0.75, 0.75, 0.5)
