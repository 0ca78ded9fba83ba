"""Tango's interval and test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln, xlogy

from trimtab.stats.tango import tango_interval, tango_p, tango_p_values

few = st.integers(0, 30)


def test_published_values() -> None:
    assert tango_interval(12, 2, 50) == pytest.approx((0.0611, 0.3447), abs=6e-5)
    assert tango_interval(150, 86, 1_600) == pytest.approx((0.0214, 0.0590), abs=6e-5)


@given(few, few, few)
def test_the_interval_holds_the_difference_and_mirrors(gains: int, losses: int, rest: int) -> None:
    count = max(gains + losses + rest, 1)
    low, high = tango_interval(gains, losses, count)
    assert -1 <= low <= (gains - losses) / count <= high <= 1
    assert low < high
    assert tango_interval(losses, gains, count) == pytest.approx((-high, -low), abs=1e-9)


@given(few, few, few, st.floats(0.001, 0.5))
def test_bound_and_test_say_the_same(gains: int, losses: int, rest: int, margin: float) -> None:
    count = max(gains + losses + rest, 1)
    low = tango_interval(gains, losses, count, confidence=0.9).low
    p = tango_p(gains, losses, count, margin=margin)
    if abs(low + margin) > 1e-6:
        assert (low > -margin) == (p < 0.05)
    of_arrays = tango_p_values(
        np.array([float(gains)]), np.array([float(losses)]), count, margin=margin
    )
    assert of_arrays == pytest.approx([p], abs=1e-12)


def test_the_likelihood_is_at_its_top() -> None:
    """The share of losses under a supposed difference, found here by trying all."""
    gains, losses, count, difference = 7, 12, 60, -0.05
    lost = np.linspace(0.0501, 0.5, 200_001)
    won = lost + difference
    top = lost[np.argmax(gains * np.log(won) + losses * np.log(lost) + 41 * np.log(1 - won - lost))]
    error = np.sqrt((2 * top + difference - difference**2) / count)
    z = ((gains - losses) / count - difference) / error
    by_trying = 0.5 * (1 - np.vectorize(_erf)(z / np.sqrt(2)))
    assert tango_p(gains, losses, count, margin=0.05) == pytest.approx(float(by_trying), abs=1e-5)


def _erf(x: float) -> float:
    steps = np.linspace(0, x, 10_001)
    return float(2 / np.sqrt(np.pi) * np.trapezoid(np.exp(-(steps**2)), steps))


def test_without_a_case_that_differs() -> None:
    # The bound is z^2/(n + z^2), that of Wilson for no event.
    assert tango_interval(0, 0, 100, confidence=0.9).low == pytest.approx(
        -2.7055 / 102.7055, abs=1e-5
    )
    assert tango_interval(0, 0, 3, confidence=0.9).low < -0.45
    assert tango_p(0, 0, 3, margin=0.1) > 0.2


def test_all_lost_or_won() -> None:
    assert tango_interval(0, 10, 10).low == -1
    assert tango_interval(10, 0, 10).high == 1
    assert tango_interval(0, 1, 1) == (-1, pytest.approx(0.5871, abs=1e-3))
    assert tango_p(0, 10, 10, margin=0.1) > 0.99
    assert tango_p(10, 0, 10, margin=0.1) < 0.01


@pytest.mark.parametrize("count", [30, 60])
@pytest.mark.parametrize(("gained", "lost"), [(0.02, 0.02), (0.05, 0.1), (0.1, 0.1), (0.2, 0.3)])
def test_coverage_exactly(count: int, gained: float, lost: float) -> None:
    gains, losses = (
        side.ravel() for side in np.meshgrid(np.arange(count + 1), np.arange(count + 1))
    )
    possible = gains + losses <= count
    gains, losses = gains[possible], losses[possible]
    rest = count - gains - losses
    logs = gammaln(count + 1) - gammaln(gains + 1) - gammaln(losses + 1) - gammaln(rest + 1)
    chances = np.exp(
        logs + xlogy(gains, gained) + xlogy(losses, lost) + xlogy(rest, 1 - gained - lost)
    )
    likely = chances > 1e-7
    covered = 0.0
    for won, down, chance in zip(gains[likely], losses[likely], chances[likely], strict=True):
        low, high = tango_interval(int(won), int(down), count)
        covered += float(chance) * (low <= gained - lost <= high)
    assert covered > 0.925
    assert covered < (0.999 if gained * count < 2 else 0.97)
