"""Logistic regression with a penalty: statsmodels where that hardly matters, and all is told."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from stats import oracles
from trimtab.stats.firth import firth_logistic
from trimtab.stats.units import Floats


def drawn(seed: int, size: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    groups = (rng.random(size) < 0.5).astype(float)
    columns = np.column_stack([np.ones(size), rng.normal(size=size), groups])
    chance = 1 / (1 + np.exp(-(columns @ np.array([-0.5, 0.8, 1.0]))))
    return columns, (rng.random(size) < chance).astype(float)


def penalised(columns: Floats, outcomes: Floats) -> Callable[[Floats], float]:
    def loss(at: Floats) -> float:
        chance = 1 / (1 + np.exp(-columns @ at))
        information = columns.T @ (columns * (chance * (1 - chance))[:, None])
        plain = np.sum(outcomes * np.log(chance) + (1 - outcomes) * np.log1p(-chance))
        return float(-plain - np.linalg.slogdet(information)[1] / 2)

    return loss


def test_with_many_rows_it_is_the_plain_regression():
    columns, outcomes = drawn(1, 20_000)
    coefficients, errors = oracles.logistic(columns, outcomes)
    found = firth_logistic(columns, outcomes)
    assert found.coefficients == pytest.approx(coefficients, abs=2e-3)
    assert found.se == pytest.approx(errors, rel=1e-3)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_with_few_rows_it_is_where_the_penalised_likelihood_is_highest(seed: int):
    columns, outcomes = drawn(seed, 25)
    found = firth_logistic(columns, outcomes)
    loss = penalised(columns, outcomes)
    best = minimize(
        loss,
        np.zeros(3),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 5_000},
    )
    assert loss(np.array(found.coefficients)) <= best.fun + 1e-7


def test_a_column_that_tells_all_outcomes_has_a_finite_coefficient():
    told = np.repeat([0.0, 1.0], 20)
    other = np.tile([0.0, 1.0, 2.0, 3.0], 10)
    found = firth_logistic(np.column_stack([np.ones(40), told, other]), told)
    assert 3 < found.coefficients[1] < 20
    assert abs(found.coefficients[2]) < 0.5
    assert np.isfinite(found.se).all()


def test_columns_must_be_independent():
    with pytest.raises(ValueError, match="not independent"):
        firth_logistic(np.ones((10, 2)), np.tile([0.0, 1.0], 5))
