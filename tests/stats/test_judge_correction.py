"""Rates and means without a judge's errors: the published example, limits, and simulated judges."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.judge_correction import (
    Observed,
    Pair,
    corrected_rate,
    corrected_rate_by_delta,
    prediction_powered,
    rogan_gladen,
)

shares = st.floats(0, 1)
good = st.floats(0.55, 1)


def test_the_published_example():
    """V12: README of the code of arXiv 2511.21140."""
    given_ = Observed(0.4, 1000), Observed(0.9, 200), Observed(0.7, 200)
    found = corrected_rate(*given_)
    assert found.value == pytest.approx(0.166667, abs=1e-6)
    assert found.se == pytest.approx(0.052219, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.0564, 0.2627), abs=5e-5)
    by_delta = corrected_rate_by_delta(*given_)
    assert by_delta.value == found.value
    assert by_delta.high - by_delta.value == pytest.approx(1.959964 * 0.052219, abs=1e-5)


@given(shares, good, good)
def test_what_a_judge_sees_of_a_rate_leads_back_to_it(
    rate: float, sensitivity: float, specificity: float
):
    seen = rate * sensitivity + (1 - rate) * (1 - specificity)
    assert rogan_gladen(seen, sensitivity, specificity) == pytest.approx(rate, abs=1e-9)


@given(shares)
def test_a_judge_without_errors_changes_nothing(rate: float):
    assert rogan_gladen(rate, 1, 1) == pytest.approx(rate)


@given(shares, good, good, st.integers(20, 500), st.integers(20, 500))
def test_the_interval_is_within_0_and_1_and_narrower_with_more(
    rate: float, sensitivity: float, specificity: float, n: int, m: int
):
    def found(times: int):
        return corrected_rate(
            Observed(rate, n * times),
            Observed(sensitivity, m * times),
            Observed(specificity, m * times),
        )

    few, many = found(1), found(100)
    assert 0 <= few.low <= few.high <= 1
    assert many.high - many.low <= few.high - few.low + 1e-9


@given(shares, good, good)
def test_it_does_not_matter_which_side_is_called_positive(
    rate: float, sensitivity: float, specificity: float
):
    one = corrected_rate(Observed(rate, 80), Observed(sensitivity, 50), Observed(specificity, 60))
    other = corrected_rate(
        Observed(1 - rate, 80), Observed(specificity, 60), Observed(sensitivity, 50)
    )
    assert one.value == pytest.approx(1 - other.value, abs=1e-9)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)


def test_a_judge_like_a_coin_tells_nothing():
    with pytest.raises(ValueError, match="no better than a coin"):
        rogan_gladen(0.5, 0.4, 0.6)
    with pytest.raises(ValueError, match="another judge"):
        corrected_rate(Observed(0.5, 10), Observed(0.5, 10), Observed(0.5, 10))


def covered(runs: int, truth: float) -> float:
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(runs):
        positive = rng.binomial(200, truth)
        seen = rng.binomial(positive, 0.9) + rng.binomial(200 - positive, 0.2)
        found = corrected_rate(
            Observed(seen / 200, 200),
            Observed(rng.binomial(60, 0.9) / 60, 60),
            Observed(rng.binomial(40, 0.8) / 40, 40),
        )
        inside += found.low <= truth <= found.high
    return inside / runs


@pytest.mark.parametrize("truth", [0.0, 0.05, 0.5, 0.95])
def test_the_interval_covers_the_truth(truth: float):
    assert covered(600, truth) >= 0.925


@pytest.mark.soak
@pytest.mark.parametrize("truth", [0.0, 0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0])
def test_the_interval_covers_the_truth_in_many_runs(truth: float):
    assert covered(20_000, truth) >= 0.94


def simulated(rng: Random, *, labels: int, others: int, noise: float):
    truths = [float(rng.random() < 0.7) for _ in range(labels + others)]
    judged = [truth if rng.random() > noise else 1 - truth for truth in truths]
    pairs = [Pair(*pair) for pair in zip(truths[:labels], judged[:labels], strict=True)]
    return pairs, judged[labels:]


def test_the_plain_form_is_the_judges_mean_and_what_it_is_off_by():
    pairs = [Pair(1, 1), Pair(0, 1), Pair(1, 0.5), Pair(0, 0)]
    others = [1.0, 0.5, 0.5, 0.0, 1.0]
    found = prediction_powered(pairs, others, tuned=False)
    off = [0, -1, 0.5, 0]
    assert found.value == pytest.approx(0.6 - 0.125)
    assert found.se == pytest.approx(np.sqrt(np.var(others) / 5 + np.var(off) / 4))
    assert found.weight == 1


@given(st.integers(0, 10_000), st.floats(0, 0.5))
def test_tuned_it_is_never_less_exact_than_the_labels_or_the_plain_form(seed: int, noise: float):
    pairs, others = simulated(Random(seed), labels=40, others=300, noise=noise)
    tuned = prediction_powered(pairs, others)
    plain = prediction_powered(pairs, others, tuned=False)
    labels_only = np.std([pair.label for pair in pairs]) / np.sqrt(40)
    assert tuned.se <= min(plain.se, labels_only) + 1e-12
    assert 0 <= tuned.weight <= 1


def test_a_judge_that_says_nothing_is_not_counted():
    pairs = [Pair(float(n % 2), 0.5) for n in range(20)]
    found = prediction_powered(pairs, [0.5] * 50)
    assert (found.weight, found.value) == (0, 0.5)


@pytest.mark.parametrize("tuned", [True, False])
def test_the_powered_interval_covers_the_truth(tuned: bool):
    rng, runs, inside = Random(11), 600, 0
    for _ in range(runs):
        pairs, others = simulated(rng, labels=100, others=1_000, noise=0.15)
        found = prediction_powered(pairs, others, tuned=tuned)
        inside += found.low <= 0.7 <= found.high
    assert 0.925 <= inside / runs <= 0.98


def test_weights_are_of_any_unit_and_say_how_many_rows_a_label_stands_for():
    pairs = [Pair(1, 1, 3), Pair(0, 1, 3), Pair(0, 0, 1), Pair(0, 0, 1)]
    others = [1.0, 0.0, 1.0]
    scaled = [pair._replace(weight=pair.weight * 40) for pair in pairs]
    assert prediction_powered(pairs, others) == pytest.approx(prediction_powered(scaled, others))
    plain = prediction_powered(pairs, others, tuned=False)
    assert plain.value == pytest.approx(2 / 3 - 3 / 8)


def test_rows_that_hang_together_are_worth_less():
    pairs, others = simulated(Random(1), labels=50, others=500, noise=0.2)
    whole = prediction_powered(pairs, others, tuned=False)
    fewer = prediction_powered(pairs, others, tuned=False, worth=50)
    assert fewer.value == whole.value
    assert fewer.se > whole.se


def test_it_needs_two_of_each():
    with pytest.raises(ValueError, match="1 labels and 2 other rows"):
        prediction_powered([Pair(1, 1)], [0.0, 1.0])
