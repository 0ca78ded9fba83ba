"""Intervals of a rate: published values, another implementation, and how often they cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln

from stats import oracles
from trimtab.stats.rates import (
    Interval,
    estimate_rate,
    exact_interval,
    most_of_none,
    wilson_interval,
)
from trimtab.stats.units import Floats

NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0, 0.1611), (0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("hits", "count", "wilson", "exact"), NEWCOMBE)
def test_newcombes_table(
    hits: int, count: int, wilson: tuple[float, float], exact: tuple[float, float]
) -> None:
    assert wilson_interval(hits, count) == pytest.approx(wilson, abs=6e-5)
    assert exact_interval(hits, count) == pytest.approx(exact, abs=6e-5)


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_statsmodels_agrees(hits: int, count: int, confidence: float) -> None:
    hits = min(hits, count)
    for ours, method in (
        (wilson_interval(hits, count, confidence=confidence), "wilson"),
        (exact_interval(hits, count, confidence=confidence), "beta"),
    ):
        theirs = oracles.rate_interval(hits, count, method, confidence)
        assert ours == pytest.approx(theirs, abs=1e-9)
        assert ours.low <= hits / count <= ours.high


@given(st.integers(0, 50), st.integers(1, 50))
def test_hits_and_misses_mirror_each_other(hits: int, count: int) -> None:
    hits = min(hits, count)
    for interval in (wilson_interval, exact_interval):
        low, high = interval(hits, count)
        assert interval(count - hits, count) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_of_nothing() -> None:
    assert wilson_interval(0, 0) == exact_interval(0, 0) == (0, 1)
    assert most_of_none(0) == 1
    assert estimate_rate(np.empty((0, 3))) == (None, 0, 1, 0, 0, 0, 0)
    assert estimate_rate(np.full((4, 2), np.nan)).value is None


def test_none_of_some() -> None:
    assert most_of_none(100) == pytest.approx(0.0295, abs=5e-5)
    assert most_of_none(300) == pytest.approx(0.0099, abs=5e-5)
    # The same as the exact interval at twice the alpha.
    assert most_of_none(100) == pytest.approx(exact_interval(0, 100, confidence=0.9).high)


def coverage(interval_at: list[Interval], rate: float) -> float:
    count = len(interval_at) - 1
    hits = np.arange(count + 1)
    logs = gammaln(count + 1) - gammaln(hits + 1) - gammaln(count - hits + 1)
    chances = np.exp(logs + hits * np.log(rate) + (count - hits) * np.log1p(-rate))
    covered = [low <= rate <= high for low, high in interval_at]
    return float(chances[covered].sum())


@pytest.mark.parametrize("count", [10, 50, 100, 300])
def test_coverage_exactly(count: int) -> None:
    rates = np.linspace(0.01, 0.99, 99)
    wilson = [wilson_interval(hits, count) for hits in range(count + 1)]
    exact = [exact_interval(hits, count) for hits in range(count + 1)]
    of_wilson = [coverage(wilson, rate) for rate in rates]
    of_exact = [coverage(exact, rate) for rate in rates]
    assert 0.945 < np.mean(of_wilson) < 0.965
    assert min(of_wilson) > 0.83  # what is known of it near 0 and 1
    assert min(of_exact) >= 0.95 - 1e-12
    assert np.mean(of_exact) > np.mean(of_wilson)


def test_one_row_a_case_is_wilsons_interval() -> None:
    rows = np.array([[1.0], [0.0], [1.0], [np.nan], [1.0]])
    found = estimate_rate(rows)
    assert (found.low, found.high) == wilson_interval(3, 4)
    assert (found.rows, found.cases, found.clusters, found.effective) == (4, 4, 4, 4)


def test_repeats_that_always_agree_are_worth_one() -> None:
    ones, zeros = np.ones((30, 5)), np.zeros((10, 5))
    found = estimate_rate(np.vstack([ones, zeros]))
    assert found.value == 0.75
    assert found.rows == 200
    assert found.effective == pytest.approx(39)  # one is lost to the estimate of the mean
    single = wilson_interval(30, 40)
    assert found.high - found.low == pytest.approx(single.high - single.low, rel=0.05)


def test_repeats_that_toss_a_coin_are_worth_all() -> None:
    rng = np.random.default_rng(1)
    rows = (rng.random((400, 5)) < 0.5).astype(float)
    assert estimate_rate(rows).effective == pytest.approx(2_000, rel=0.15)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_rows_that_are_all_alike_count_by_cluster(value: float) -> None:
    rows = np.full((40, 3), value)
    assert estimate_rate(rows).effective == 40
    of_ten = estimate_rate(rows, [f"doc{at % 10}" for at in range(40)])
    assert (of_ten.effective, of_ten.clusters) == (10, 10)
    assert of_ten.high - of_ten.low > 0.25


def test_cases_that_are_all_the_same_mixture() -> None:
    found = estimate_rate(np.array([[1.0, 0.0]] * 6))
    assert found.effective == 12
    assert 0.1 < found.low < 0.5 < found.high < 0.9


def test_one_cluster_says_nothing() -> None:
    found = estimate_rate(np.ones((5, 2)), ["doc"] * 5)
    assert (found.value, found.low, found.high, found.clusters) == (1, 0, 1, 1)
    assert (estimate_rate(np.array([[1.0, 0.0]])).low, found.high) == (0, 1)


def test_a_cluster_without_a_name_is_one_case() -> None:
    rows = np.array([[1.0], [0.0], [1.0], [1.0], [0.0]])
    assert estimate_rate(rows, [""] * 5) == estimate_rate(rows)


def beta_binomial_rows(rng: np.random.Generator, design: tuple[int, int, int]) -> Floats:
    """Clusters of cases with a common chance, mean 0.9."""
    clusters, size, repeats = design
    chances = np.repeat(rng.beta(3.6, 0.4, clusters), size)
    return (rng.random((clusters * size, repeats)) < chances[:, None]).astype(float)


@pytest.mark.parametrize("design", [(75, 1, 3), (100, 1, 5), (30, 4, 1), (20, 3, 2)])
def test_coverage_with_clusters(design: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(2)
    clusters, size, _ = design
    labels = [at // size for at in range(clusters * size)]
    runs = 1_000
    covered = plain = 0
    for _ in range(runs):
        rows = beta_binomial_rows(rng, design)
        found = estimate_rate(rows, labels)
        covered += found.low <= 0.9 <= found.high
        low, high = wilson_interval(rows.sum(), rows.size)
        plain += low <= 0.9 <= high
    assert 0.92 < covered / runs < 0.98
    assert plain / runs < 0.92  # rows as if they were independent
