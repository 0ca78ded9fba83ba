"""Gates on simulated suites: identical setups, real drops, stable suites that break in parts."""

import numpy as np
import pytest

from stats.simulated_gates import (
    BROKEN,
    Said,
    Suite,
    answers,
    difficulties,
    draw,
    draw_broken,
    plain_broken,
    plain_rules,
    say,
)
from trimtab.stats.margins import Goal, Sides

GOAL = Goal("rate", 0.05)

# Shares of 4,000 runs: any case failed, mean lower, by more than 2 and 5 points, z test on rows,
# paired t, passes at a margin of 5 points, inconclusive; rounded to two digits.
TABLE = {
    Suite(50, 1): (1.00, 0.41, 0.25, 0.13, 0.01, 0.046, 0.30, 0.66),
    Suite(75, 3): (1.00, 0.47, 0.19, 0.01, 0.01, 0.048, 0.72, 0.23),
    Suite(100, 5): (1.00, 0.50, 0.08, 0.00, 0.01, 0.045, 0.95, 0.02),
    Suite(75, 3, 0.05): (1.00, 0.97, 0.88, 0.49, 0.38, 0.61, 0.05, 0.34),
    Suite(100, 5, 0.05): (1.00, 1.00, 0.95, 0.48, 0.73, 0.88, 0.05, 0.07),
    Suite(75, 3, 0.10): (1.00, 1.00, 1.00, 0.95, 0.90, 0.96, 0.00, 0.04),
}


def apart(expected: float, runs: int) -> float:
    """Three and a half standard errors of the difference of both simulations, and rounding."""
    spread = max(expected * (1 - expected), 0.004)
    return 3.5 * float(np.sqrt(spread * (1 / 4_000 + 1 / runs))) + 0.006


@pytest.mark.parametrize("suite", TABLE, ids=str)
def test_what_simpler_rules_would_say(suite: Suite) -> None:
    for found, expected in zip(plain_rules(suite, 4_000), TABLE[suite], strict=True):
        assert found == pytest.approx(expected, abs=apart(expected, 4_000))


def gate_row(suite: Suite, runs: int) -> Said:
    found = say(lambda rng: draw(rng, suite), GOAL, runs)
    *_, drops, passes, inconclusive = TABLE[suite]
    assert found.drops == pytest.approx(drops, abs=apart(drops, runs))
    assert found.passes == pytest.approx(passes, abs=apart(passes, runs))
    assert found.inconclusive == pytest.approx(inconclusive, abs=apart(inconclusive, runs))
    return found


@pytest.mark.parametrize("suite", [suite for suite in TABLE if suite.drop], ids=str)
def test_real_drops(suite: Suite) -> None:
    gate_row(suite, 1_000)


@pytest.mark.parametrize("suite", [Suite(75, 3), Suite(100, 5)], ids=str)
def test_identical_setups_fail_as_often_as_alpha_says(suite: Suite) -> None:
    found = gate_row(suite, 2_000)
    assert 0.03 <= found.drops <= 0.07
    assert found.fails <= found.drops


@pytest.mark.soak
@pytest.mark.parametrize("suite", [suite for suite in TABLE if suite.repeats > 1], ids=str)
def test_what_the_gate_says_long(suite: Suite) -> None:
    gate_row(suite, 8_000)


def test_one_answer_a_case_passes_less_often_than_by_t() -> None:
    """Tango's bound of 50 cases that never differ is 5.1 %: t would say 0."""
    found = say(lambda rng: draw(rng, Suite(50, 1)), GOAL, 1_500)
    assert found.passes == pytest.approx(0.24, abs=0.04)
    assert found.fails == pytest.approx(0.033, abs=0.017)


@pytest.mark.soak
@pytest.mark.parametrize(
    "suite",
    [Suite(30, 3), Suite(50, 1), Suite(50, 10), Suite(100, 1), Suite(200, 3)],
    ids=str,
)
def test_identical_setups_of_other_designs(suite: Suite) -> None:
    found = say(lambda rng: draw(rng, suite), GOAL, 8_000)
    assert 0.03 <= found.drops <= 0.06
    assert found.fails <= found.drops


@pytest.mark.soak
@pytest.mark.parametrize("repeats", [3, 5])
def test_identical_setups_of_a_small_suite(repeats: int) -> None:
    """Often fewer than four cases differ: then nothing can fail."""
    found = say(lambda rng: draw(rng, Suite(20, repeats)), GOAL, 8_000)
    assert 0.025 <= found.drops <= 0.05


def clustered(rng: np.random.Generator) -> Sides:
    """40 conversations of 3 turns that are equally difficult, and equally often go wrong."""
    chances = np.repeat(difficulties(rng, (40,)), 3)
    sides: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = []
    for _ in range(2):
        mood = np.repeat(rng.random(40) < 0.7, 3)[:, None]
        sides.append(np.where(mood, answers(rng, chances, 1), answers(rng, chances * 0.8, 1)))
    return Sides(sides[0], sides[1], [str(at // 3) for at in range(120)])


def test_identical_setups_with_clusters() -> None:
    found = say(clustered, GOAL, 1_000)
    assert 0.03 <= found.drops <= 0.07
    ignored = say(lambda rng: clustered(rng)._replace(clusters=None), GOAL, 1_000)
    assert ignored.drops > found.drops


@pytest.mark.parametrize(("suite", "unsteady"), BROKEN[:4], ids=str)
def test_a_stable_suite_that_breaks_by_the_margin_hardly_passes(
    suite: Suite, unsteady: float
) -> None:
    goal = Goal("rate", suite.drop)
    found = say(lambda rng: draw_broken(rng, suite, unsteady), goal, 600)
    assert found.passes < 0.09
    assert plain_broken(suite, unsteady, 600) > found.passes


@pytest.mark.soak
@pytest.mark.parametrize(("suite", "unsteady"), BROKEN, ids=str)
def test_a_stable_suite_that_breaks_by_the_margin_long(suite: Suite, unsteady: float) -> None:
    goal = Goal("rate", suite.drop)
    found = say(lambda rng: draw_broken(rng, suite, unsteady), goal, 8_000)
    assert found.passes < 0.08  # by plain t 0.09 to 0.2
