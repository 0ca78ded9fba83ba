"""What would settle an inconclusive comparison: followed, it does."""

import numpy as np
import pytest

from stats.simulated_gates import Suite, answers, difficulties, draw, say
from trimtab.stats.margins import Goal, Sides, compare_sides
from trimtab.stats.mean_bounds import Moments
from trimtab.stats.settle import Needed, RepeatNoise, needed_to_settle, repeat_noise

GOAL = Goal("rate", 0.05)


def test_by_hand() -> None:
    # The variance of the mean has to be (0.05/2.4865)^2 = 0.000404; one case has 0.09.
    moments = Moments(mean=0.0, error=0.03, skewness=0.0, units=100)
    found = needed_to_settle(moments, 100, None, margin=0.05, alpha=0.05)
    assert found == Needed(223, None)
    # Of 0.09, repeats can take away 0.08: 0.01 + 0.24/K below 0.0404 with 3 repeats so far.
    noise = RepeatNoise(0.08, 3)
    found = needed_to_settle(moments, 100, noise, margin=0.05, alpha=0.05)
    assert found == Needed(223, 8)
    # Of 0.09, they can take away 0.04: 0.05 is too much already.
    noise = RepeatNoise(0.04, 3)
    assert needed_to_settle(moments, 100, noise, margin=0.05, alpha=0.05).repeats is None


def test_what_was_not_seen_needs_cases() -> None:
    few = Moments(mean=0.0, error=0.001, skewness=0.0, units=40)
    noise = RepeatNoise(0.00003, 3)
    assert needed_to_settle(few, 40, noise, margin=0.05, alpha=0.05) == Needed(59, None)
    in_clusters = few._replace(units=20)
    assert needed_to_settle(in_clusters, 40, noise, margin=0.05, alpha=0.05).cases == 118


def test_towards_a_fail() -> None:
    worse = Moments(mean=-0.1, error=0.07, skewness=0.0, units=50)
    found = needed_to_settle(worse, 50, None, margin=0.05, alpha=0.05)
    assert found.cases == pytest.approx((2.4865 / 0.1) ** 2 * 0.07**2 * 50, abs=1)
    # Three cases that are all lost: mid-p is 1/16; of four it is 1/32.
    lost = Moments(mean=-1.0, error=0.0, skewness=0.0, units=3)
    assert needed_to_settle(lost, 3, None, margin=0.05, alpha=0.05).cases == 4


def test_noise_of_repeats() -> None:
    rng = np.random.default_rng(20)
    candidate, baseline = answers(rng, np.full(4_000, 0.8), 4), answers(rng, np.full(4_000, 0.5), 2)
    found = repeat_noise(candidate, baseline)
    assert found is not None
    assert found.variance == pytest.approx(0.16 / 4 + 0.25 / 2, rel=0.03)
    assert found.repeats == 4
    assert repeat_noise(candidate, baseline[:, :1]) is None


def inconclusive_one(cases: int, repeats: int) -> tuple[Sides, Needed]:
    """The first comparison of setups that are the same, nearly equal, that says nothing."""
    for seed in range(1_000):
        sides = draw(np.random.default_rng(seed), Suite(cases, repeats))
        found = compare_sides(sides, GOAL)
        if (
            found.needed is not None
            and found.difference is not None
            and abs(found.difference) < 0.01
        ):
            return sides, found.needed
    raise AssertionError("none")


def test_as_many_cases_as_it_says_settle_it() -> None:
    _, needed = inconclusive_one(60, 3)
    assert 100 < needed.cases < 400
    settled = say(lambda rng: draw(rng, Suite(needed.cases, 3)), GOAL, 300)
    assert settled.inconclusive < 0.25


def test_as_many_repeats_as_it_says_settle_it() -> None:
    _, needed = inconclusive_one(75, 2)
    assert needed.repeats is not None
    assert 3 <= needed.repeats <= 12

    def again(rng: np.random.Generator) -> Sides:
        chances = difficulties(rng, (75,))
        assert needed.repeats is not None
        return Sides(answers(rng, chances, needed.repeats), answers(rng, chances, needed.repeats))

    assert say(again, GOAL, 300).inconclusive < 0.3
