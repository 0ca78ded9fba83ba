"""Means, clustered errors and the split of the variance."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from stats import oracles
from trimtab.stats.means import clustered_error, estimate_mean, split_variance
from trimtab.stats.units import Floats, case_scores, unit_sums

SCORES = np.array([1.0, 1, 0, 0, 1, 0, 1, 1])
CLUSTERS = [0, 0, 1, 1, 2, 2, 3, 3]
values = st.lists(st.floats(0, 1), min_size=3, max_size=30).map(np.array)


def test_the_toy_of_clusters() -> None:
    assert SCORES.mean() == 0.625
    assert clustered_error(SCORES, corrected=False) == pytest.approx(0.171163, abs=1e-6)
    assert clustered_error(SCORES) == pytest.approx(0.182981, abs=1e-6)
    assert clustered_error(SCORES, CLUSTERS, corrected=False) == pytest.approx(0.207289, abs=1e-6)
    assert clustered_error(SCORES, CLUSTERS) == pytest.approx(0.239357, abs=1e-6)


def test_millers_cross_term() -> None:
    apart = clustered_error(SCORES, CLUSTERS, corrected=False) ** 2
    apart -= clustered_error(SCORES, corrected=False) ** 2
    assert apart * 64 == pytest.approx(0.875)


@pytest.mark.parametrize("corrected", [False, True])
def test_statsmodels_agrees(corrected: bool) -> None:
    rng = np.random.default_rng(3)
    scores, clusters = rng.random(60), [int(label) for label in rng.integers(0, 12, 60)]
    theirs = oracles.clustered_error(scores, clusters, corrected=corrected)
    assert clustered_error(scores, clusters, corrected=corrected) == pytest.approx(theirs)


def test_the_interval_is_that_of_students_t() -> None:
    scores = np.random.default_rng(4).random(20)
    theirs = ttest_1samp(scores, 0).confidence_interval(0.9)
    found = estimate_mean(scores, confidence=0.9)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.error == pytest.approx(scores.std(ddof=1) / sqrt(20))
    assert (found.cases, found.clusters) == (20, 20)


def test_fewer_clusters_have_a_wider_interval() -> None:
    found = estimate_mean(SCORES, CLUSTERS)
    assert found.error == pytest.approx(0.239357, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.625 - 3.18245 * 0.239357, 1.38674), abs=1e-4)


def test_of_nothing_and_of_one() -> None:
    assert estimate_mean(np.array([])) == (None, None, None, None, 0, 0)
    assert estimate_mean(np.array([0.4])) == (0.4, None, None, None, 1, 1)
    assert estimate_mean(np.array([0.4, 0.6]), ["a", "a"]) == (0.5, None, None, None, 2, 1)
    with pytest.raises(ValueError, match="at least two"):
        clustered_error(np.array([0.4]))
    with pytest.raises(ValueError, match="at least two"):
        clustered_error(np.array([]))


def test_scores_that_are_all_equal() -> None:
    assert estimate_mean(np.full(7, 0.25)) == (0.25, 0, 0.25, 0.25, 7, 7)


@given(values)
def test_order_makes_no_difference(scores: Floats) -> None:
    order = np.random.default_rng(len(scores)).permutation(len(scores))
    labels = [at % 3 for at in range(len(scores))]
    one = estimate_mean(scores, labels)
    two = estimate_mean(scores[order], [int(at) % 3 for at in order])
    assert one == pytest.approx(two, abs=1e-12)


@given(values, st.integers(1, 4))
def test_an_error_row_never_changes_a_mean(scores: Floats, errors: int) -> None:
    rows = scores[:, None]
    with_errors = np.hstack([rows, np.full((len(rows), errors), np.nan)])
    assert np.array_equal(case_scores(with_errors), scores)
    more = np.vstack([with_errors, np.full((2, errors + 1), np.nan)])
    means = case_scores(more)
    assert np.array_equal(means[~np.isnan(means)], scores)


def test_the_mean_of_what_was_measured() -> None:
    rows = np.array([[1.0, 0.0, np.nan], [np.nan] * 3, [0.5, np.nan, np.nan]])
    assert case_scores(rows) == pytest.approx([0.5, np.nan, 0.5], nan_ok=True)


def test_each_case_has_a_cluster() -> None:
    with pytest.raises(ValueError, match="2 clusters for 3 cases"):
        unit_sums(np.zeros(3), ["a", "b"])
    sums, sizes = unit_sums(np.array([1.0, 2, 3, 4]), ["b", "", "b", ""])
    assert list(sums) == [4, 2, 4]
    assert list(sizes) == [2, 1, 1]


def test_the_split_finds_what_was_put_in() -> None:
    rng = np.random.default_rng(5)
    own = rng.normal(0.5, 0.2, (5_000, 1))
    split = split_variance(own + rng.normal(0, 0.3, (5_000, 3)))
    assert split is not None
    assert split.within == pytest.approx(0.09, rel=0.05)
    assert split.between == pytest.approx(0.04, rel=0.1)
    assert split.repeat_share == pytest.approx(0.03 / 0.07, rel=0.1)
    # 0.09/K below a fifth of 0.04 + 0.09/K: K above 9.
    assert split.repeats in {9, 10, 11}


def test_a_judge_that_is_uniform() -> None:
    """Miller: a chance that is uniform over cases; the variance is (1/12 + (1/6)/K)/n."""
    rng = np.random.default_rng(6)
    chances = rng.random((20_000, 1))
    split = split_variance((rng.random((20_000, 4)) < chances).astype(float))
    assert split is not None
    assert split.between == pytest.approx(1 / 12, rel=0.03)
    assert split.within == pytest.approx(1 / 6, rel=0.03)
    for repeats, cut in ((2, 1 / 3), (4, 1 / 2), (6, 5 / 9)):
        assert 1 - (1 / 12 + 1 / 6 / repeats) / 0.25 == pytest.approx(cut)
    assert split.repeat_share == pytest.approx((1 / 24) / (1 / 24 + 1 / 12), rel=0.03)
    assert split.repeats in {8, 9}


def test_repeats_that_differ_in_number() -> None:
    rows = np.array([[1.0, 0, np.nan, np.nan], [1, 1, 1, 0], [0, np.nan, np.nan, np.nan]])
    split = split_variance(rows)
    assert split is not None
    assert split.within == pytest.approx((0.5 + 0.25) / 2)
    assert split.between == 0
    assert split.repeat_share == 1
    assert split.repeats is None


def test_nothing_to_split() -> None:
    assert split_variance(np.ones((5, 1))) is None
    assert split_variance(np.ones((1, 5))) is None
    assert split_variance(np.full((5, 2), np.nan)) is None
    same = split_variance(np.ones((5, 2)))
    assert same == (0, 0, None, 1)
    steady = split_variance(np.array([[1.0, 1], [0, 0], [1, 1]]))
    assert steady == (0, pytest.approx(1 / 3), 0, 1)


@pytest.mark.parametrize(("clusters", "size"), [(10, 8), (30, 3)])
def test_coverage_with_clusters(clusters: int, size: int) -> None:
    rng = np.random.default_rng(7)
    labels = [at // size for at in range(clusters * size)]
    runs = 1_500
    covered = plain = 0
    for _ in range(runs):
        scores = np.repeat(rng.beta(4, 2, clusters), size) * 0.8 + 0.2 * rng.random(len(labels))
        truth = 0.8 * 4 / 6 + 0.1
        found, naive = estimate_mean(scores, labels), estimate_mean(scores)
        assert found.low is not None
        assert found.high is not None
        assert naive.low is not None
        assert naive.high is not None
        covered += found.low <= truth <= found.high
        plain += naive.low <= truth <= naive.high
    assert 0.93 < covered / runs < 0.97
    assert plain / runs < 0.85
