"""The bound that few cases and rare losses do not fool."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit
from scipy.stats import skew

from trimtab.stats.mean_bounds import (
    Moments,
    cases_to_see,
    lower_bound,
    moments_of,
    p_of_margin,
)
from trimtab.stats.rates import wilson_interval
from trimtab.stats.units import Floats

gains = st.lists(st.integers(-5, 5), min_size=2, max_size=60).map(lambda found: np.array(found) / 5)


def test_moments() -> None:
    values = np.random.default_rng(16).exponential(1, 50)
    found = moments_of(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std(ddof=1) / sqrt(50))
    assert found.skewness == pytest.approx(float(skew(values)) / sqrt(50))
    clustered = moments_of(np.repeat(values, 4), [at // 4 for at in range(200)])
    assert clustered == pytest.approx(found)


def test_what_does_not_vary_has_no_error() -> None:
    assert moments_of(np.full(9, 0.1)) == (pytest.approx(0.1), 0, 0, 9)
    assert moments_of(np.array([0.3])) == (0.3, 0, 0, 1)


def test_a_steady_mean_has_the_bound_of_students_t() -> None:
    values = np.random.default_rng(17).normal(0, 0.2, 100)
    found = moments_of(values)
    plain = found.mean - float(stdtrit(99, 0.95)) * found.error
    assert lower_bound(found, alpha=0.05) == pytest.approx(plain)


@pytest.mark.parametrize("losses", [1, 2, 3, 5, 10])
def test_of_rare_losses_it_is_a_score_bound(losses: int) -> None:
    values = np.zeros(2_000)
    values[:losses] = -1
    found = moments_of(values)
    assert found.skewness == pytest.approx(-1 / sqrt(losses), rel=0.01)
    high = wilson_interval(losses, 2_000, confidence=0.9).high
    assert lower_bound(found, alpha=0.05) == pytest.approx(-high, rel=0.01)


@given(gains, st.floats(0.01, 0.5), st.sampled_from([0.01, 0.05, 0.1]))
def test_bound_and_test_say_the_same(values: Floats, margin: float, alpha: float) -> None:
    found = moments_of(values)
    low, p = lower_bound(found, alpha=alpha), p_of_margin(found, margin=margin)
    assert 0 <= p <= 1
    if abs(low + margin) > 1e-9:
        assert (low > -margin) == (p < alpha)


@given(gains, st.floats(0.02, 0.4))
def test_a_wider_margin_is_easier(values: Floats, margin: float) -> None:
    found = moments_of(values)
    assert p_of_margin(found, margin=margin + 0.05) <= p_of_margin(found, margin=margin) + 1e-12


def test_what_was_not_seen() -> None:
    assert cases_to_see(0.05, alpha=0.05) == 59
    assert cases_to_see(0.02, alpha=0.05) == 149
    for cases, passes in ((58, False), (59, True)):
        found = moments_of(np.zeros(cases))
        assert (p_of_margin(found, margin=0.05) < 0.05) == passes
        assert (lower_bound(found, alpha=0.05) > -0.05) == passes
    assert lower_bound(moments_of(np.zeros(3)), alpha=0.05) == pytest.approx(-0.6316, abs=1e-4)


def test_a_gain_balances_what_was_not_seen() -> None:
    values = np.random.default_rng(18).normal(0.3, 0.1, 40)
    assert lower_bound(moments_of(values), alpha=0.05) > 0.15
    assert p_of_margin(moments_of(values), margin=0.02) < 1e-4


def test_fewer_than_two_units_say_nothing() -> None:
    for found in (moments_of(np.array([1.0])), moments_of(np.ones(5), ["a"] * 5)):
        assert found.units == 1
        assert lower_bound(found, alpha=0.05) == -inf
        assert p_of_margin(found, margin=0.5) == 1
    assert p_of_margin(Moments(0, 0, 0, 0), margin=0.5) == 1


def test_a_mean_that_is_worse_and_does_not_vary() -> None:
    found = moments_of(np.full(200, -0.1))
    assert p_of_margin(found, margin=0.05) == 1
    assert p_of_margin(found, margin=0.2) < 1e-9
