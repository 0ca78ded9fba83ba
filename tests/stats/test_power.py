"""Cases and repeats that a comparison needs, by the formulas."""

import numpy as np
import pytest

from stats.simulated_gates import Suite, draw, spread_of
from trimtab.stats.power import (
    MILLER,
    Spread,
    cases_to_find,
    connor_cases,
    noninferiority_cases,
    smallest_difference,
    spread_of_one,
    spread_of_two,
)

# Percentage points, by cases and by 1, 3, 5 and 10 repeats.
SMALLEST = {
    50: (26.4, 18.7, 16.7, 15.1),
    75: (21.6, 15.3, 13.6, 12.3),
    100: (18.7, 13.2, 11.8, 10.7),
    200: (13.2, 9.3, 8.4, 7.5),
    400: (9.3, 6.6, 5.9, 5.3),
    1000: (5.9, 4.2, 3.7, 3.4),
}


def test_millers_example() -> None:
    assert cases_to_find(0.03, MILLER._replace(candidate=0, baseline=0)) == 969
    assert cases_to_find(0.03) == 3_876
    assert cases_to_find(0.03, repeats=10) == 1_260
    assert smallest_difference(198) == pytest.approx(0.1327, abs=5e-5)
    assert smallest_difference(198, repeats=10) == pytest.approx(0.0757, abs=5e-5)


@pytest.mark.parametrize("cases", SMALLEST)
def test_the_table_of_smallest_differences(cases: int) -> None:
    found = [100 * smallest_difference(cases, repeats=repeats) for repeats in (1, 3, 5, 10)]
    assert found == pytest.approx(SMALLEST[cases], abs=0.06)


def test_one_is_the_other_the_other_way() -> None:
    for cases in (50, 333):
        smallest = smallest_difference(cases, repeats=3)
        assert cases_to_find(smallest * 0.9999, repeats=3) == cases + 1
        assert cases_to_find(smallest * 1.0001, repeats=3) == cases


@pytest.mark.parametrize(
    ("differing", "difference", "cases", "margin_cases"),
    [
        (0.05, 0.05, 122, 124),
        (0.10, 0.05, 246, 248),
        (0.10, 0.10, 60, 62),
        (0.20, 0.05, 493, 495),
        (0.20, 0.10, 122, 124),
    ],
)
def test_the_table_of_paired_rates(
    differing: float, difference: float, cases: int, margin_cases: int
) -> None:
    assert connor_cases(differing, difference) == cases
    assert noninferiority_cases(differing, difference) == margin_cases


def test_a_steady_suite_needs_few() -> None:
    assert noninferiority_cases(0.05, 0.10) == 31


@pytest.mark.parametrize("suite", [Suite(4_000, 3), Suite(4_000, 5, 0.1)])
def test_the_spread_is_found_in_rows(suite: Suite) -> None:
    sides = draw(np.random.default_rng(21), suite)
    found, truth = spread_of_two(sides.candidate, sides.baseline), spread_of(suite)
    assert found.variance(suite.repeats) == pytest.approx(truth.variance(suite.repeats), rel=0.05)
    assert found == pytest.approx(truth, abs=0.005)
    one = spread_of_one(sides.baseline)
    assert one == pytest.approx((0, truth.baseline, truth.baseline), rel=0.1)


def test_with_one_repeat_nothing_can_be_removed() -> None:
    sides = draw(np.random.default_rng(22), Suite(3_000, 1))
    found = spread_of_two(sides.candidate, sides.baseline)
    assert found == (pytest.approx(2 * 0.0567, rel=0.1), 0, 0)
    alone = spread_of_one(sides.baseline)
    assert alone.baseline == pytest.approx(0.85 * 0.15, rel=0.1)


def test_nothing_to_estimate_from() -> None:
    with pytest.raises(ValueError, match="two cases"):
        spread_of_two(np.ones((1, 3)), np.ones((1, 3)))
    with pytest.raises(ValueError, match="two cases"):
        spread_of_one(np.full((5, 2), np.nan))


def test_variance() -> None:
    assert Spread(0.1, 0.2, 0.3).variance(5) == pytest.approx(0.2)
