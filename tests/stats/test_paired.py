"""Two setups on the same cases: published values, real data, and another implementation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from stats import oracles
from stats.paired_tables import ARMITAGE, LLM_DRIFT, Drift, rows_of
from trimtab.stats.means import clustered_error
from trimtab.stats.paired import (
    PairCounts,
    correlation_of,
    count_pairs,
    mcnemar,
    mcnemar_chi_square,
    mcnemar_drops,
    newcombe_interval,
    paired_difference,
)
from trimtab.stats.tango import tango_interval

few = st.integers(0, 40)
AGRESTI = PairCounts(794, 150, 86, 570)


def test_tubercle_media() -> None:
    tails = mcnemar(ARMITAGE.gains, ARMITAGE.losses)
    assert tails.exact == pytest.approx(0.012939453, abs=5e-10)
    assert tails.mid == pytest.approx(0.007385, abs=5e-7)
    yates = mcnemar_chi_square(12, 2, corrected=True)
    assert yates == (pytest.approx(5.785714, abs=5e-7), pytest.approx(0.0162, abs=5e-5))
    assert mcnemar_chi_square(12, 2, corrected=False).statistic == pytest.approx(7.142857, abs=5e-7)
    assert ARMITAGE.difference == pytest.approx(0.2)
    candidate, baseline = rows_of(ARMITAGE)
    error = clustered_error(candidate - baseline, corrected=False)
    assert error == pytest.approx(0.069282, abs=5e-7)
    assert newcombe_interval(ARMITAGE) == pytest.approx((0.0562, 0.3292), abs=6e-5)


def test_approval_ratings() -> None:
    plain = mcnemar_chi_square(AGRESTI.gains, AGRESTI.losses, corrected=False)
    assert plain.statistic == pytest.approx(17.3559, abs=5e-5)
    yates = mcnemar_chi_square(AGRESTI.gains, AGRESTI.losses, corrected=True)
    assert yates.statistic == pytest.approx(16.8178, abs=5e-5)
    tails = mcnemar(AGRESTI.gains, AGRESTI.losses)
    assert tails.exact == pytest.approx(3.716e-05, rel=5e-4)
    candidate, baseline = rows_of(AGRESTI)
    error = clustered_error(candidate - baseline, corrected=False)
    assert error == pytest.approx(0.009549, abs=5e-7)
    wald = (AGRESTI.difference - 1.959964 * error, AGRESTI.difference + 1.959964 * error)
    assert wald == pytest.approx((0.0213, 0.0587), abs=5e-5)
    assert newcombe_interval(AGRESTI) == pytest.approx(wald, abs=1e-3)


@pytest.mark.parametrize("drift", LLM_DRIFT, ids=lambda drift: drift.name)
def test_real_drift(drift: Drift) -> None:
    pairs = drift.pairs
    assert (pairs.both + pairs.losses) / pairs.cases == pytest.approx(drift.before, abs=5e-4)
    assert (pairs.both + pairs.gains) / pairs.cases == pytest.approx(drift.after, abs=5e-4)
    assert mcnemar(pairs.gains, pairs.losses).exact == pytest.approx(drift.p, rel=0.05)
    candidate, baseline = rows_of(pairs)
    assert count_pairs(candidate, baseline) == pairs


def test_pairing_does_not_have_to_help() -> None:
    candidate, baseline = rows_of(LLM_DRIFT[0].pairs)
    found = paired_difference(candidate, baseline)
    assert found.correlation == pytest.approx(-0.356, abs=5e-4)
    assert found.estimate.value == pytest.approx(-0.329)
    assert found.estimate.error == pytest.approx(0.02270, abs=2e-5)
    unpaired = np.sqrt(sum(clustered_error(side) ** 2 for side in (candidate, baseline)))
    assert unpaired == pytest.approx(0.01961, abs=2e-5)


@given(few, few)
def test_statsmodels_agrees(gains: int, losses: int) -> None:
    tails = mcnemar(gains, losses)
    if gains + losses:
        theirs = oracles.mcnemar(gains, losses, exact=True, corrected=False)
        assert tails.exact == pytest.approx(theirs[1], abs=1e-9)
        plain = mcnemar_chi_square(gains, losses, corrected=False)
        theirs = oracles.mcnemar(gains, losses, exact=False, corrected=False)
        assert plain == pytest.approx(theirs, abs=1e-9)
    if gains != losses:  # theirs corrects 0 to 1
        yates = mcnemar_chi_square(gains, losses, corrected=True)
        theirs = oracles.mcnemar(gains, losses, exact=False, corrected=True)
        assert yates == pytest.approx(theirs, abs=1e-9)
    drop = mcnemar_drops(np.array([float(gains)]), np.array([float(losses)]))
    assert drop == pytest.approx([tails.drop], abs=1e-9)


@given(few, few)
def test_swapping_the_setups_swaps_the_tails(gains: int, losses: int) -> None:
    below, at, above = mcnemar(gains, losses)
    assert mcnemar(losses, gains) == pytest.approx((above, at, below), abs=1e-12)
    assert below + at + above == pytest.approx(1)
    assert mcnemar(gains, losses).drop + mcnemar(losses, gains).drop == pytest.approx(1)


@given(few, few, few, st.integers(1, 40))
def test_newcombes_interval_holds_the_difference_and_mirrors(
    both: int, gains: int, losses: int, neither: int
) -> None:
    pairs = PairCounts(both, gains, losses, neither)
    low, high = newcombe_interval(pairs)
    assert -1 <= low <= pairs.difference <= high <= 1
    turned = newcombe_interval(PairCounts(both, losses, gains, neither))
    assert turned == pytest.approx((-high, -low), abs=1e-12)


def test_no_case_that_differs_is_not_certainty() -> None:
    assert mcnemar(0, 0) == (0, 1, 0)
    assert mcnemar(0, 0).drop == 0.5
    assert mcnemar(0, 0).exact == mcnemar(0, 0).mid == 1
    assert mcnemar_chi_square(0, 0, corrected=True) == (0, 1)
    for interval in (newcombe_interval(PairCounts(20, 0, 0, 0)), tango_interval(0, 0, 20)):
        assert interval.low < -0.1
        assert interval.high > 0.1


def test_the_paired_interval_is_that_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(8)
    candidate, baseline = rng.random(25), rng.random(25)
    found = paired_difference(candidate, baseline, confidence=0.9).estimate
    theirs = ttest_rel(candidate, baseline).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_correlation() -> None:
    line = np.array([0.0, 0.5, 1.0])
    assert correlation_of(line, line) == pytest.approx(1)
    assert correlation_of(line, 1 - line) == pytest.approx(-1)
    assert correlation_of(line, np.ones(3)) is None
    assert correlation_of(line[:1], line[:1]) is None
