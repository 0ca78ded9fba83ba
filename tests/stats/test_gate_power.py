"""What is printed before a gate is run, against gates that are run."""

import numpy as np
import pytest

from stats.simulated_gates import Suite, draw, say, spread_of
from trimtab.stats.gate_power import Design, detects, gate_power
from trimtab.stats.margins import Goal, Sides
from trimtab.stats.power import Spread

GRID = [
    Suite(50, 1),
    Suite(100, 1, 0.05),
    Suite(200, 1),
    Suite(200, 1, 0.1),
    Suite(75, 3),
    Suite(75, 3, 0.05),
    Suite(75, 3, 0.1),
    Suite(100, 5),
    Suite(100, 5, 0.05),
    Suite(200, 3, 0.05),
    Suite(60, 10),
]


def planned(suite: Suite, margin: float = 0.05) -> Design:
    return Design(suite.cases, suite.repeats, spread_of(suite), margin, counted=True)


def differ_by(suite: Suite, runs: int) -> tuple[float, float]:
    said = say(lambda rng: draw(rng, suite), Goal("rate", 0.05), runs)
    will = gate_power(planned(suite), change=-suite.drop)
    return said.passes - will.passes, said.fails - will.fails


@pytest.mark.parametrize("suite", GRID, ids=str)
def test_gates_say_what_was_predicted(suite: Suite) -> None:
    # Three points, and two standard errors of 500 runs.
    assert differ_by(suite, 500) == pytest.approx((0, 0), abs=0.03 + 2 * 0.0224)


@pytest.mark.soak
@pytest.mark.parametrize("suite", GRID, ids=str)
def test_gates_say_what_was_predicted_long(suite: Suite) -> None:
    assert differ_by(suite, 6_000) == pytest.approx((0, 0), abs=0.03)


def test_of_amounts_too() -> None:
    spread = Spread(0.01, 0.04, 0.04)
    design = Design(60, 3, spread, float(np.log(1.1)), counted=False)

    def draw_amounts(rng: np.random.Generator) -> Sides:
        logs = rng.normal(7, 1, (60, 1))
        moved = logs + rng.normal(0.05, 0.1, (60, 1))
        return Sides(
            np.exp(moved + rng.normal(0, 0.2, (60, 3))), np.exp(logs + rng.normal(0, 0.2, (60, 3)))
        )

    said = say(draw_amounts, Goal("amount", 1.1, higher_is_better=False), 500)
    will = gate_power(design, change=-0.05)
    found = (said.passes - will.passes, said.fails - will.fails)
    assert found == pytest.approx((0, 0), abs=0.03 + 2 * 0.0224)


def test_usable_designs() -> None:
    assert gate_power(planned(Suite(100, 5))).passes == pytest.approx(0.95, abs=0.01)
    assert gate_power(planned(Suite(75, 3))).passes == pytest.approx(0.72, abs=0.02)
    assert gate_power(planned(Suite(75, 3), 0.10)).passes > 0.99
    assert gate_power(planned(Suite(50, 1))).passes < 0.3


def test_a_gate_that_cannot_pass() -> None:
    steady = Spread(0.0, 0.0, 0.0)
    assert gate_power(Design(58, 5, steady, 0.05, counted=True)).passes < 1e-9
    assert gate_power(Design(59, 5, steady, 0.05, counted=True)).passes > 0.999
    assert gate_power(Design(52, 1, Spread(0, 0, 0), 0.05, counted=True)).passes == pytest.approx(1)
    assert gate_power(Design(51, 1, Spread(0, 0, 0), 0.05, counted=True)).passes == 0
    assert gate_power(Design(1, 5, steady, 0.05, counted=True)) == (0, 0)
    assert gate_power(Design(0, 5, steady, 0.05, counted=True)).inconclusive == 1


def test_counted_and_averaged_agree_with_many_cases() -> None:
    spread = Spread(0.0, 0.06, 0.06)
    for change in (0.0, -0.03, -0.05):
        counted = gate_power(Design(1_500, 1, spread, 0.05, counted=True), change=change)
        averaged = gate_power(Design(1_500, 1, spread, 0.05, counted=False), change=change)
        assert counted == pytest.approx(averaged, abs=0.02)
    large = Design(5_000, 1, spread, 0.05, counted=True)
    assert gate_power(large, change=-0.05).passes == pytest.approx(0.05, abs=0.005)


def test_the_smallest_drop_that_fails() -> None:
    design = planned(Suite(75, 3))
    smallest = detects(design)
    assert smallest is not None
    assert gate_power(design, change=-smallest).fails == pytest.approx(0.8, abs=0.005)
    surer, with_more = detects(design, power=0.95), detects(planned(Suite(300, 5)))
    assert surer is not None
    assert with_more is not None
    assert with_more < smallest < surer
    assert detects(Design(3, 1, Spread(0.0, 0.1, 0.1), 0.05, counted=True)) is None
