"""The interval that fits a kind of values."""

import numpy as np
import pytest

from trimtab.stats.estimates import Kind, estimate
from trimtab.stats.means import estimate_mean
from trimtab.stats.rates import estimate_rate, exact_interval, wilson_interval
from trimtab.stats.resampling import bca_interval
from trimtab.stats.tango import tango_interval
from trimtab.stats.units import Floats


def uniform(shape: tuple[int, int], seed: int = 23) -> Floats:
    return np.random.default_rng(seed).random(shape)


def test_of_rates() -> None:
    once = estimate(np.array([[1.0], [0.0], [1.0], [np.nan]]), "rate")
    assert (once.low, once.high) == wilson_interval(2, 3)
    assert (once.rows, once.cases, once.method) == (3, 3, "Wilson")
    rows = (uniform((30, 3)) < 0.8).astype(float)
    several = estimate(rows, "rate", confidence=0.9)
    of_rows = estimate_rate(rows, confidence=0.9)
    assert (several.low, several.high) == (of_rows.low, of_rows.high)
    assert several.method == "Wilson on effective rows"


def test_of_scores() -> None:
    rows = uniform((60, 3))
    found = estimate(rows, "score")
    assert (found.low, found.high) == bca_interval(rows.mean(axis=1))
    assert (found.rows, found.cases, found.clusters) == (180, 60, 60)
    assert found.method == "BCa bootstrap"
    for cases in (14, 201):
        few = estimate(uniform((cases, 1)), "score")
        plain = estimate_mean(uniform((cases, 1))[:, 0])
        assert (few.low, few.high) == pytest.approx((plain.low, plain.high))
        assert few.method == "t on means of cases"


def test_scores_of_one_do_not_prove_a_mean_of_one() -> None:
    found = estimate(np.ones((20, 3)), "score")
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(exact_interval(20, 20).low)
    nearly = np.ones((20, 1))
    nearly[0] = 0.9
    assert estimate(nearly, "score").low == pytest.approx(found.low, abs=0.01)
    assert found.low is not None
    assert estimate(np.zeros((20, 1)), "score").high == pytest.approx(1 - found.low)
    one = estimate(np.array([[0.5]]), "score")
    assert one.low is not None
    assert one.high is not None
    assert one.low < 0.02
    assert one.high > 0.98


def test_of_amounts() -> None:
    rows = np.exp(5 * uniform((40, 2)))
    found = estimate(rows, "amount")
    plain = estimate_mean(np.log(rows).mean(axis=1))
    assert plain.value is not None
    assert plain.low is not None
    assert plain.high is not None
    assert found.value == pytest.approx(np.exp(plain.value))
    assert (found.low, found.high) == pytest.approx((np.exp(plain.low), np.exp(plain.high)))
    same = estimate(np.full((10, 3), 7.0), "amount")  # of 10 cases 31 % may be unlike any
    assert (same.low, same.value, same.high) == pytest.approx((5.14, 7, 9.53), abs=0.01)
    alone = estimate(rows[:1], "amount")
    assert (alone.low, alone.high) == (None, None)
    assert alone.value == pytest.approx(np.exp(np.log(rows[0]).mean()))


def test_of_preferences() -> None:
    rows = np.array([[0.7, 1.0], [-1.0, -0.2], [1.0, -1.0], [1.0, np.nan]])
    found = estimate(rows, "preference")
    assert (found.value, found.method) == (0.25, "Tango")
    assert (found.low, found.high) == tango_interval(2, 1, 4)
    clustered = estimate(rows, "preference", ["a", "b", "b", "a"])
    assert (clustered.clusters, clustered.method) == (2, "t on means of cases")
    assert (clustered.low, clustered.high) == (-1, 1)
    assert estimate(rows, "preference", ["a"] * 4)[:3] == (0.25, -1, 1)


@pytest.mark.parametrize("kind", ["rate", "score", "amount", "preference"])
def test_of_nothing(kind: Kind) -> None:
    for rows in (np.empty((0, 2)), np.full((4, 2), np.nan)):
        assert estimate(rows, kind)[:6] == (None, None, None, 0, 0, 0)


def test_clusters_make_an_interval_wider() -> None:
    rows = np.repeat(uniform((30, 1)), 4, axis=0)
    labels = [at // 4 for at in range(120)]
    for kind in ("score", "amount"):
        one, two = estimate(rows, kind), estimate(rows, kind, labels)
        assert one.low is not None
        assert two.low is not None
        assert two.low < one.low
        assert (two.cases, two.clusters) == (120, 30)
