"""Sign flips against all flips one by one, and the bootstrap against scipy's."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, permutation_test, ttest_1samp

from trimtab.stats.paired import mcnemar
from trimtab.stats.resampling import MOST_ENUMERATED, bca_interval, sign_flip
from trimtab.stats.units import Floats

thirds = st.lists(st.integers(-3, 3), max_size=9)


@given(thirds)
def test_by_all_flips_one_by_one(values: list[int]) -> None:
    sums = [
        sum(sign * abs(value) for sign, value in zip(signs, values, strict=True))
        for signs in product((-1, 1), repeat=len(values))
    ]
    seen = sum(values)
    tails = sign_flip(np.array(values) / 3)
    assert tails.below == pytest.approx(sum(total < seen for total in sums) / len(sums))
    assert tails.above == pytest.approx(sum(total > seen for total in sums) / len(sums))


@given(st.integers(0, 10), st.integers(0, 10), st.integers(0, 30))
def test_of_ones_it_is_mcnemars_test(gains: int, losses: int, ties: int) -> None:
    values = np.repeat([1.0, -1.0, 0.0], [gains, losses, ties])
    assert sign_flip(values) == pytest.approx(mcnemar(gains, losses), abs=1e-12)


def test_scipy_agrees() -> None:
    values = np.random.default_rng(9).normal(0.1, 1, 12)
    theirs = permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=2**12, alternative="less"
    )
    less = float(theirs.pvalue)
    tails = sign_flip(values)
    assert tails.below + tails.at == pytest.approx(less)
    assert tails.exact == pytest.approx(2 * min(less, 1 - less + tails.at))


def test_many_are_drawn_at_random_always_the_same() -> None:
    values = np.random.default_rng(10).normal(0.25, 1, 60)
    assert len(values) > MOST_ENUMERATED
    drawn = sign_flip(values)
    assert drawn == sign_flip(values)
    assert drawn != sign_flip(values, seed=1)
    assert sign_flip(values[::-1]) == drawn
    assert sign_flip(-values) == (drawn.above, drawn.at, drawn.below)
    of_t = float(ttest_1samp(values, 0, alternative="less").pvalue)
    assert drawn.drop == pytest.approx(of_t, abs=0.01)
    assert sign_flip(np.full(60, 1.0)).above == 0
    assert sign_flip(np.full(60, 1.0)).at == pytest.approx(1 / 10_001)


def test_as_many_as_are_enumerated_and_one_more_agree() -> None:
    values = np.random.default_rng(11).normal(-0.2, 1, MOST_ENUMERATED + 1)
    exact, drawn = sign_flip(values[:-1]), sign_flip(np.append(values[:-1], 1e-6))
    assert drawn.drop == pytest.approx(exact.drop, abs=0.015)


def test_of_nothing() -> None:
    assert sign_flip(np.array([])) == sign_flip(np.zeros(5)) == (0, 1, 0)


@pytest.mark.parametrize("cases", [15, 40])
def test_scipys_bootstrap_agrees(cases: int) -> None:
    rng = np.random.default_rng(12)
    scores = rng.beta(5, 1, cases)
    theirs = bootstrap((scores,), np.mean, n_resamples=40_000, method="BCa", rng=rng)
    ours = bca_interval(scores, draws=40_000)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_clusters_are_drawn_whole() -> None:
    rng = np.random.default_rng(13)
    sums = rng.random(40)
    scores, labels = np.repeat(sums, 3), [at // 3 for at in range(120)]
    assert bca_interval(scores, labels) == pytest.approx(bca_interval(sums), abs=1e-12)
    low, high = bca_interval(scores)
    wide_low, wide_high = bca_interval(scores, labels)
    assert wide_high - wide_low > 1.5 * (high - low)


def test_seeds_and_order() -> None:
    scores = np.random.default_rng(14).random(30)
    assert bca_interval(scores) == bca_interval(scores)
    assert bca_interval(scores, seed=5) == pytest.approx(bca_interval(scores), abs=0.01)
    assert bca_interval(scores[::-1]) == bca_interval(scores)


@pytest.mark.parametrize("scores", [np.array([0.5]), np.full(20, 0.5), np.array([])])
def test_nothing_to_draw(scores: Floats) -> None:
    with pytest.raises(ValueError, match="alike"):
        bca_interval(scores)
    with pytest.raises(ValueError, match="alike"):
        bca_interval(np.array([0.2, 0.4]), ["a", "a"])


def covered_share(runs: int, cases: int, repeats: int) -> tuple[float, float]:
    """Of the interval of case means, and of one that draws repeats again."""
    rng = np.random.default_rng(15)
    covered = twice = 0
    for run in range(runs):
        own = rng.beta(6, 2, (cases, 1))
        rows = (rng.random((cases, repeats)) < own).astype(float)
        low, high = bca_interval(rows.mean(axis=1), draws=1_000, seed=run)
        covered += low <= 0.75 <= high
        chosen = rng.integers(0, cases, (1_000, cases))
        shares = rows.mean(axis=1)[chosen]
        again = (rng.random((repeats, *shares.shape)) < shares).mean(axis=(0, 2))
        twice += float(np.quantile(again, 0.025)) <= 0.75 <= float(np.quantile(again, 0.975))
    return covered / runs, twice / runs


def test_coverage() -> None:
    covered, twice = covered_share(400, 40, 3)
    assert 0.91 < covered < 0.975
    assert twice > 0.975  # why repeats are not drawn again


@pytest.mark.soak
@pytest.mark.parametrize(("cases", "repeats"), [(15, 3), (40, 3), (75, 5), (200, 2)])
def test_coverage_long(cases: int, repeats: int) -> None:
    covered, _ = covered_share(4_000, cases, repeats)
    assert 0.925 < covered < 0.965
