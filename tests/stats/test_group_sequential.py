"""Looks on the way: published constants, simulated tests, and what futility costs."""

from math import inf, sqrt

import numpy as np
import pytest
from scipy.stats import norm

from trimtab.stats.group_sequential import (
    Shape,
    boundary_constant,
    chance_to_cross,
    crossing,
    design,
    nominal_alphas,
)


def looks(number: int) -> list[float]:
    return [(look + 1) / number for look in range(number)]


@pytest.mark.parametrize(
    ("shape", "number", "constant"),
    [
        ("obrien_fleming", 2, 1.977),
        ("obrien_fleming", 3, 2.004),
        ("obrien_fleming", 5, 2.040),
        ("obrien_fleming", 10, 2.087),
        ("obrien_fleming", 20, 2.126),
        ("pocock", 2, 2.178),
        ("pocock", 3, 2.289),
        ("pocock", 5, 2.413),
        ("pocock", 10, 2.555),
        ("pocock", 20, 2.672),
    ],
)
def test_the_constants_of_jennison_and_turnbull(shape: Shape, number: int, constant: float):
    """V9."""
    assert boundary_constant(shape, looks(number)) == pytest.approx(constant, abs=6e-4)


@pytest.mark.parametrize("shape", ["obrien_fleming", "pocock"])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_with_one_look_it_is_the_plain_test(shape: Shape, alpha: float):
    assert boundary_constant(shape, [1.0], alpha=alpha) == pytest.approx(norm.ppf(1 - alpha / 2))
    assert boundary_constant(shape, [1.0], alpha=alpha, sides=1) == pytest.approx(
        norm.ppf(1 - alpha)
    )


@pytest.mark.parametrize("shape", ["obrien_fleming", "pocock"])
def test_both_sides_at_an_alpha_are_one_side_at_its_half(shape: Shape):
    two = boundary_constant(shape, looks(4), alpha=0.05)
    one = boundary_constant(shape, looks(4), alpha=0.025, sides=1)
    assert two == pytest.approx(one, abs=1e-3)
    assert two <= one, "crossing both is no more probable than crossing each"


def motion(runs: int, information: list[float], drift: float):
    """z at each look, shape (runs, looks)."""
    steps = np.diff([0.0, *information])
    rng = np.random.default_rng(2)
    walk = np.cumsum(rng.normal(drift * steps, np.sqrt(steps), (runs, len(steps))), axis=1)
    return walk / np.sqrt(information)


@pytest.mark.parametrize("information", [[0.2, 0.5, 1.0], [0.33, 0.67, 1.0], [0.05, 0.1, 0.9, 1.0]])
@pytest.mark.parametrize("shape", ["obrien_fleming", "pocock"])
def test_alpha_is_kept_at_looks_of_any_distance(shape: Shape, information: list[float]):
    found = design(shape, information)
    z = motion(200_000, information, 0.0)
    crossed = (np.abs(z) >= np.array(found.efficacy)).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.0025)


def test_chances_of_crossing_are_those_of_simulated_motions():
    information, upper, lower = [0.3, 0.6, 1.0], [2.5, 2.2, 2.0], [-0.5, 0.6, 2.0]
    found = crossing(information, upper, lower, drift=1.5)
    z = motion(400_000, information, 1.5)
    going = np.ones(len(z), dtype=bool)
    for look in range(3):
        up, down = z[:, look] >= upper[look], z[:, look] <= lower[look]
        assert found.upper[look] == pytest.approx((going & up).mean(), abs=0.002)
        assert found.lower[look] == pytest.approx((going & down).mean(), abs=0.002)
        going &= ~up & ~down
    assert sum(found.upper) + sum(found.lower) == pytest.approx(1)


def test_without_bounds_nothing_is_crossed():
    assert crossing([0.5, 1.0], [inf, inf], [-inf, -inf]) == ((0, 0), (0, 0))


def test_at_its_drift_a_design_has_its_power():
    found = design("obrien_fleming", looks(3), power=0.9)
    chances = crossing(found.information, found.efficacy, [-inf] * 3, drift=found.drift)
    assert sum(chances.upper) == pytest.approx(0.9)
    single = norm.ppf(0.975) + norm.ppf(0.9)
    assert single < found.drift < single * 1.02, "a few looks cost hardly any power"


def test_the_bounds_fall_and_meet_in_the_end():
    found = design(sides=1)
    assert found.efficacy == tuple(sorted(found.efficacy, reverse=True))
    assert found.futility == tuple(sorted(found.futility))
    assert found.futility[-1] == pytest.approx(found.efficacy[-1])
    assert found.efficacy[0] == pytest.approx(found.efficacy[-1] * sqrt(3))


def test_stopping_for_futility_costs_little_power_and_saves_much_where_nothing_is():
    found = design(sides=1)
    stops = [*found.futility[:-1], -inf]
    with_it = sum(crossing(found.information, found.efficacy, stops, drift=found.drift).upper)
    assert 0.75 < with_it < 0.8
    nothing = crossing(found.information, found.efficacy, stops)
    assert sum(nothing.lower[:2]) > 0.5
    assert sum(nothing.upper) <= 0.05, "alpha does not count on stops, so it can only be less"


def test_futility_is_where_significance_has_become_improbable():
    """At the bound of the first look the chance of significance in the end is the limit."""
    found = design(sides=1, hopeless=0.2)
    share, z = found.information[0], found.futility[0]
    mean = z * sqrt(share) + found.drift * (1 - share)
    chance = norm.sf((found.efficacy[-1] - mean) / sqrt(1 - share))
    assert chance == pytest.approx(0.2)


@pytest.mark.parametrize("information", [[], [0.5], [0.5, 0.5, 1.0], [0.0, 1.0], [0.7, 0.4, 1.0]])
def test_looks_must_rise_to_the_whole(information: list[float]):
    with pytest.raises(ValueError, match="do not rise"):
        boundary_constant("pocock", information)


def test_probabilities_must_be_in_their_range():
    with pytest.raises(ValueError, match=r"alpha is 0\.7"):
        boundary_constant("pocock", [1.0], alpha=0.7)
    with pytest.raises(ValueError, match=r"power is 0\.01"):
        design(power=0.01)
    with pytest.raises(ValueError, match=r"hopeless 0\.9"):
        design(hopeless=0.9)


def test_two_looks_at_one_level_each():
    """Pocock's constant for two looks at 0.10 two-sided is 1.875."""
    level = pytest.approx(norm.sf(1.875), abs=5e-5)
    assert nominal_alphas(0.05, [0.5, 1], planned=0.5) == [level, level]
    assert nominal_alphas(0.05, [1]) == [pytest.approx(0.05)]


def test_levels_of_looks_on_the_way_are_those_of_o_brien_and_fleming():
    """Their constant for three looks at 0.10 two-sided is 1.710."""
    levels = nominal_alphas(0.05, looks(3))
    assert levels == [pytest.approx(norm.sf(1.710 * sqrt(3 / at)), abs=5e-5) for at in (1, 2, 3)]


@pytest.mark.parametrize(
    ("information", "planned"),
    [([1 / 3, 2 / 3, 1], 1), ([1 / 6, 2 / 6, 0.5, 1], 0.5), ([0.1, 0.4, 0.8, 1], 0.8)],
)
def test_looks_together_cross_as_often_as_alpha_says(information: list[float], planned: float):
    levels = nominal_alphas(0.05, information, planned=planned)
    rng = np.random.default_rng(1)
    steps = np.diff([0, *information])
    motion = np.cumsum(rng.normal(size=(200_000, len(steps))) * np.sqrt(steps), axis=1)
    crossed = (motion / np.sqrt(information) > norm.isf(levels)).any(axis=1)
    assert crossed.mean() == pytest.approx(0.05, abs=0.002)
    assert levels == sorted(levels)


@pytest.mark.parametrize("drift", [0.0, 1.5, 3.0])
def test_the_chance_to_cross_is_how_often_it_is_crossed(drift: float):
    share, z, bound = 0.4, 0.7, 1.7
    left = 1 - share
    rest = np.random.default_rng(1).normal(drift * left, sqrt(left), 200_000)
    crossed = (z * sqrt(share) + rest > bound).mean()
    assert chance_to_cross(z, share, bound, drift=drift) == pytest.approx(crossed, abs=0.005)
