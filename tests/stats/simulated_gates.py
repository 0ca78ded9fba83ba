"""Gates on simulated suites, and how often they say what.

`python tests/stats/simulated_gates.py` prints the tables of docs/design/gate-statistics.md.

A case's difficulty is the chance that an answer to it is right: Beta with mean 0.85 and
concentration 0.8, so that most cases are always right, some hardly ever, and some now and then. A
candidate that is worse is so by the same factor on every case.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from trimtab.stats.gate_power import Design, gate_power
from trimtab.stats.margins import Decision, Goal, Sides, compare_sides
from trimtab.stats.power import Spread
from trimtab.stats.units import Floats

SEED = 20_261_130
MEAN, CONCENTRATION = 0.85, 0.8


class Suite(NamedTuple):
    """Of how many cases and repeats, and by how much the candidate is worse."""

    cases: int
    repeats: int
    drop: float = 0.0


class Said(NamedTuple):
    """Share of gates by what they said."""

    passes: float
    fails: float
    drops: float

    @property
    def inconclusive(self) -> float:
        """Neither."""
        return 1 - self.passes - self.fails


class Plain(NamedTuple):
    """Share of runs that simpler rules would block, and what a plain paired t says."""

    any_fail: float
    lower: float
    lower_by_2: float
    lower_by_5: float
    z_on_rows: float
    paired_t: float
    t_passes: float
    t_inconclusive: float


def difficulties(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """The chance of a right answer to each case."""
    return rng.beta(MEAN * CONCENTRATION, (1 - MEAN) * CONCENTRATION, shape)


def answers(rng: np.random.Generator, chances: Floats, repeats: int) -> Floats:
    """Rows (cases, repeats) of 0 and 1."""
    return (rng.random((len(chances), repeats)) < chances[:, None]).astype(np.float64)


def draw(rng: np.random.Generator, suite: Suite) -> Sides:
    """One comparison of the difficulty model."""
    chances = difficulties(rng, (suite.cases,))
    worse = chances * (1 - suite.drop / MEAN)
    return Sides(answers(rng, worse, suite.repeats), answers(rng, chances, suite.repeats))


def draw_broken(rng: np.random.Generator, suite: Suite, unsteady: float) -> Sides:
    """A stable suite: a share `drop` of cases breaks altogether, a share `unsteady` is at 0.9."""
    chances = np.where(rng.random(suite.cases) < unsteady, 0.9, 1.0)
    worse = np.where(rng.random(suite.cases) < suite.drop, 0.0, chances)
    return Sides(answers(rng, worse, suite.repeats), answers(rng, chances, suite.repeats))


def spread_of(suite: Suite) -> Spread:
    """The spread of the difficulty model, from its moments."""
    square = MEAN**2 + MEAN * (1 - MEAN) / (1 + CONCENTRATION)  # E[p^2]
    kept = 1 - suite.drop / MEAN
    between = (1 - kept) ** 2 * (square - MEAN**2)
    return Spread(between, kept * MEAN - kept**2 * square, MEAN - square)


def say(draw_one: Callable[[np.random.Generator], Sides], goal: Goal, runs: int) -> Said:
    """What so many gates say."""
    rng = np.random.default_rng(SEED)
    decisions = [compare_sides(draw_one(rng), goal) for _ in range(runs)]
    return said(decisions, goal.alpha)


def said(decisions: list[Decision], alpha: float) -> Said:
    """Shares of verdicts."""
    verdicts = [decision.verdict for decision in decisions]
    runs = len(verdicts)
    drops = sum(decision.p_drop < alpha for decision in decisions) / runs
    return Said(verdicts.count("pass") / runs, verdicts.count("fail") / runs, drops)


def plain_rules(suite: Suite, runs: int, margin: float = 0.05) -> Plain:
    """What simpler rules say of as many runs, all at once."""
    rng = np.random.default_rng(SEED)
    cases, repeats, drop = suite
    chances = difficulties(rng, (runs, cases))
    old = rng.binomial(repeats, chances)
    new = rng.binomial(repeats, chances * (1 - drop / MEAN))
    gains = (new - old) / repeats
    mean, error = gains.mean(axis=1), gains.std(axis=1, ddof=1) / np.sqrt(cases)
    t = float(stdtrit(cases - 1, 0.95))
    rows = cases * repeats
    both = (new.sum(axis=1) + old.sum(axis=1)) / (2 * rows)
    pooled = np.sqrt(2 * both * (1 - both) / rows)
    passes = mean - t * error > -margin
    fails = (mean + t * error < 0) & ~passes
    return Plain(
        float((new < repeats).any(axis=1).mean()),
        float((mean < -1e-9).mean()),
        float((mean < -0.02 - 1e-9).mean()),
        float((mean < -0.05 - 1e-9).mean()),
        float((mean < -1.645 * pooled).mean()),
        float((mean + t * error < 0).mean()),
        float(passes.mean()),
        float((~passes & ~fails).mean()),
    )


DESIGNS = [
    Suite(20, 3),
    Suite(20, 5),
    Suite(30, 3),
    Suite(50, 1),
    Suite(50, 3),
    Suite(50, 5),
    Suite(75, 3),
    Suite(100, 1),
    Suite(100, 3),
    Suite(100, 5),
    Suite(200, 1),
    Suite(200, 3),
]
BROKEN = [
    (Suite(59, 3, 0.05), 0.0),
    (Suite(59, 3, 0.05), 0.1),
    (Suite(59, 3, 0.05), 0.3),
    (Suite(75, 3, 0.05), 0.0),
    (Suite(75, 3, 0.05), 0.1),
    (Suite(100, 5, 0.05), 0.1),
    (Suite(150, 3, 0.02), 0.02),
    (Suite(200, 3, 0.02), 0.05),
    (Suite(40, 3, 0.1), 0.05),
]


def main() -> None:
    """Print the tables."""
    runs = 4_000
    out = sys.stdout.write
    out("| design | worse by | drop found | pass | fail | predicted pass | predicted fail |\n")
    out("|---|---|---|---|---|---|---|\n")
    for design in DESIGNS:
        for drop in (0.0, 0.05, 0.1):
            suite = design._replace(drop=drop)
            found = say(lambda rng, suite=suite: draw(rng, suite), Goal("rate", 0.05), runs)
            plan = Design(suite.cases, suite.repeats, spread_of(suite), 0.05, counted=True)
            will = gate_power(plan, change=-drop)
            out(
                f"| {suite.cases}x{suite.repeats} | {drop:.0%} | {found.drops:.3f} "
                f"| {found.passes:.3f} | {found.fails:.3f} "
                f"| {will.passes:.3f} | {will.fails:.3f} |\n"
            )
    out("\n| design | margin | unsteady cases | wrong pass | by plain t |\n|---|---|---|---|---|\n")
    for suite, unsteady in BROKEN:
        goal = Goal("rate", suite.drop)
        found = say(lambda rng, s=suite, u=unsteady: draw_broken(rng, s, u), goal, runs)
        out(
            f"| {suite.cases}x{suite.repeats} | {suite.drop:.0%} | {unsteady:.0%} "
            f"| {found.passes:.3f} | {plain_broken(suite, unsteady, runs):.3f} |\n"
        )


def plain_broken(suite: Suite, unsteady: float, runs: int) -> float:
    """How often a plain t bound lets a suite pass that is worse by exactly the margin."""
    rng = np.random.default_rng(SEED)
    passes = 0
    for _ in range(runs):
        sides = draw_broken(rng, suite, unsteady)
        gains = sides.candidate.mean(axis=1) - sides.baseline.mean(axis=1)
        reach = float(stdtrit(suite.cases - 1, 0.95)) * gains.std(ddof=1) / np.sqrt(suite.cases)
        passes += bool(gains.mean() - reach > -suite.drop)
    return passes / runs


if __name__ == "__main__":
    main()
