"""How often a gate is wrong: setups that are the same, setups that are worse, and two looks.

The model of answers is that of `stats.simulated_gates`: most cases are always right, some hardly
ever, some now and then. Figures that the tests hold are in the names and comments.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pytest

from evals.arrays import STRICT, Floats, frame, scores
from stats.simulated_gates import Suite, answers, difficulties, draw
from trimtab.datasets.suite import GatePolicy
from trimtab.evals.gate import Judgement, judge
from trimtab.evals.identical import judge_identical
from trimtab.evals.looks import Look, looks_of, why_end
from trimtab.evals.outlook import Outlook, grid_of, outlooks
from trimtab.evals.result import Verdict
from trimtab.evals.scores import MetricScores

SEED = 20_261_130
RUNS = 2_000
NARROW = GatePolicy(margins={"accuracy": 0.01}, inconclusive="block")
"""So narrow that no drop passes: what fails is then all that is told apart."""

Rng = np.random.Generator
Sides = tuple[Sequence[MetricScores], Sequence[MetricScores]]


def say(draw_one: Callable[[Rng], Sides], policy: GatePolicy, runs: int) -> Counter[Verdict]:
    """What so many gates say."""
    rng, said = np.random.default_rng(SEED), Counter[Verdict]()
    for _ in range(runs):
        new, old = draw_one(rng)
        said[judge(new, old, frame(len(new[0].values), policy), explore=False).verdict] += 1
    return said


def one_metric(suite: Suite) -> Callable[[Rng], Sides]:
    """Accuracy alone."""

    def drawn(rng: Rng) -> Sides:
        sides = draw(rng, suite)
        return [scores(sides.candidate)], [scores(sides.baseline)]

    return drawn


NAMES = ("accuracy", "format", "refusal", "hallucination")


def four_metrics(suite: Suite) -> Callable[[Rng], Sides]:
    """All headline metrics, each with difficulties of its own."""

    def drawn(rng: Rng) -> Sides:
        pairs = [draw(rng, suite) for _ in NAMES]
        new = [scores(pair.candidate, name) for name, pair in zip(NAMES, pairs, strict=True)]
        old = [scores(pair.baseline, name) for name, pair in zip(NAMES, pairs, strict=True)]
        return new, old

    return drawn


# ------------------------------------------------------------ the same on both sides


@pytest.mark.parametrize("suite", [Suite(75, 3), Suite(100, 5)], ids=str)
def test_setups_that_are_the_same_fail_as_often_as_alpha_says(suite: Suite):
    """5.3 and 4.9 %."""
    said = say(one_metric(suite), NARROW, RUNS)
    assert 0.03 <= said["fail"] / RUNS <= 0.07


def test_with_one_answer_a_case_the_test_is_discrete():
    """4.0 %: p values come in steps, and mid-p is as near to 5 % as they allow."""
    said = say(one_metric(Suite(100, 1)), NARROW, RUNS)
    assert 0.03 <= said["fail"] / RUNS <= 0.06


def test_with_a_usual_margin_the_same_passes_more_often_than_it_fails():
    """3.7 % fail and 94 % pass: a drop within the margin is no fail."""
    said = say(one_metric(Suite(100, 5)), STRICT, 1_000)
    assert said["fail"] / 1_000 <= 0.055
    assert said["pass"] / 1_000 == pytest.approx(0.94, abs=0.025)


def test_several_metrics_together_fail_no_more_often_than_one():
    """4.0 %, by Holm."""
    policy = GatePolicy(margins=dict.fromkeys(NAMES, 0.01), inconclusive="block")
    runs = RUNS // 2
    said = say(four_metrics(Suite(60, 3)), policy, runs)
    assert 0.02 <= said["fail"] / runs <= 0.065


@pytest.mark.soak
@pytest.mark.parametrize("suite", [Suite(75, 3), Suite(100, 5), Suite(100, 1)], ids=str)
def test_several_metrics_together_long(suite: Suite):
    policy = GatePolicy(margins=dict.fromkeys(NAMES, 0.01), inconclusive="block")
    said = say(four_metrics(suite), policy, 4_000)
    assert said["fail"] / 4_000 <= 0.055


def test_critical_cases_hardly_ever_fail_on_the_same():
    """Ten of them with 8 answers each: both guards together are far below their alpha."""
    rng, said = np.random.default_rng(SEED), Counter[Verdict]()
    for _ in range(500):
        sides = draw(rng, Suite(40, 8))
        found = judge(
            [scores(sides.candidate)],
            [scores(sides.baseline)],
            frame(40, NARROW, critical=range(10)),
            explore=False,
        )
        said["fail"] += bool(found.critical)
    assert said["fail"] / 500 <= 0.02


@pytest.mark.parametrize("repeats", [1, 3, 5, 10])
def test_three_cases_that_are_all_the_same_never_pass_and_never_fail(repeats: int):
    same = [scores(np.ones((3, repeats)))]
    assert judge(same, same, frame(3)).verdict == "inconclusive"


# ------------------------------------------------------------ looks


class Looked(NamedTuple):
    """What gates said that may end early and may ask once more, and how much they asked."""

    said: Counter[Verdict]
    runs: int
    asked: float

    def share(self, verdict: Verdict) -> float:
        return self.said[verdict] / self.runs


def look_by_look(suite: Suite, policy: GatePolicy, runs: int) -> Looked:
    """Gates of one metric, without critical cases; asked is of the planned answers."""
    rng, said, asked = np.random.default_rng(SEED), Counter[Verdict](), 0
    looks = looks_of(policy, suite.repeats)
    frames = [frame(suite.cases, look.policy) for look in looks]
    for _ in range(runs):
        whole = draw(rng, suite._replace(repeats=looks[-1].repeats))
        for look, fixed in zip(looks, frames, strict=True):
            new, old = (rows[:, : look.repeats] for rows in (whole.candidate, whole.baseline))
            found = judge([scores(new)], [scores(old)], fixed, explore=False)
            if _is_over(found, look, looks):
                said[found.verdict] += 1
                asked += look.repeats
                break
    return Looked(said, runs, asked / runs / suite.repeats)


def _is_over(found: Judgement, look: Look, looks: Sequence[Look]) -> bool:
    if look.kind == "early":
        return bool(why_end(found, look, looks, watched=False))
    return look is looks[-1] or not found.repeats_may_settle


THREE = GatePolicy(inconclusive="block")
MORE = GatePolicy(inconclusive="extend")


@pytest.mark.parametrize("suite", [Suite(75, 3), Suite(100, 5)], ids=str)
@pytest.mark.parametrize("policy", [THREE, MORE], ids=["three", "more"])
def test_looks_find_no_more_drops_where_nothing_differs(suite: Suite, policy: GatePolicy):
    """So narrow a margin that no drop passes."""
    narrow = msgspec.structs.replace(policy, margins={"accuracy": 0.01}, inconclusive="extend")
    assert 0.03 <= look_by_look(suite, narrow, 1_000).share("fail") <= 0.065


@pytest.mark.parametrize("suite", [Suite(80, 2, 0.05), Suite(100, 5, 0.05)], ids=str)
@pytest.mark.parametrize("policy", [THREE, MORE], ids=["three", "more"])
def test_looks_pass_no_more_often_what_is_worse_by_the_margin(suite: Suite, policy: GatePolicy):
    assert look_by_look(suite, policy, 1_000).share("pass") <= 0.065


# ------------------------------------------------------------ a suite's own answers


def test_a_setup_against_itself_on_its_own_answers():
    rng = np.random.default_rng(SEED)
    rows = answers(rng, difficulties(rng, (100,)), 6)
    found = judge_identical([scores(rows)], frame(100, NARROW), splits=1_000)
    assert (found.splits, found.repeats) == (1_000, 3)
    assert 0.02 <= found.share("fail") <= 0.08
    assert found.share("pass") + found.share("fail") + found.share("inconclusive") == 1


def test_a_setup_without_noise_never_fails_against_itself():
    rows = np.repeat((np.arange(80) < 70)[:, None], 4, axis=1).astype(float)
    found = judge_identical([scores(rows)], frame(80), splits=50)
    assert found.verdicts == {"pass": 50}


def test_one_answer_cannot_be_divided():
    with pytest.raises(ValueError, match="Two repeats"):
        judge_identical([scores(np.ones((80, 1)))], frame(80))


# ------------------------------------------------------------ what is printed before


def foretold(chances: Floats, repeats: int, known: int = 30) -> Outlook:
    """What is said after so many earlier answers of the same setup."""
    rng = np.random.default_rng(1)
    seen = [scores(answers(rng, chances, known))]
    (one,) = outlooks(seen, seen, frame(len(chances)), repeats=repeats)
    return one


def passed(chances: Floats, repeats: int, runs: int, factor: float = 1.0) -> Counter[Verdict]:
    """What gates of these cases then say."""

    def drawn(rng: Rng) -> Sides:
        new = answers(rng, chances * factor, repeats)
        return [scores(new)], [scores(answers(rng, chances, repeats))]

    return say(drawn, STRICT, runs)


GRID = [Suite(50, 3), Suite(100, 1), Suite(100, 5), Suite(200, 3)]


@pytest.fixture(scope="module")
def grid() -> dict[Suite, float]:
    """What is said of other numbers of cases and repeats, after many answers of a setup."""
    rng = np.random.default_rng(1)
    seen = [scores(answers(rng, difficulties(rng, (4_000,)), 10))]
    cells = grid_of(seen, frame(4_000))
    return {Suite(cell.cases, cell.repeats): cell.passes for cell in cells}


def power_apart(grid: dict[Suite, float], suite: Suite, runs: int) -> float:
    return grid[suite] - say(one_metric(suite), STRICT, runs)["pass"] / runs


@pytest.mark.parametrize("suite", GRID, ids=str)
def test_power_is_what_was_said(grid: dict[Suite, float], suite: Suite):
    # Three points, and two standard errors of 500 runs.
    assert power_apart(grid, suite, 500) == pytest.approx(0, abs=0.03 + 2 * 0.0224)


@pytest.mark.soak
@pytest.mark.parametrize("suite", GRID, ids=str)
def test_power_is_what_was_said_long(grid: dict[Suite, float], suite: Suite):
    assert power_apart(grid, suite, 6_000) == pytest.approx(0, abs=0.03)


def test_power_of_a_suites_own_cases():
    """Its cases stay the same from gate to gate; 30 answers to each tell how noisy they are."""
    chances = difficulties(np.random.default_rng(7), (100,))
    said = passed(chances, 5, 500)
    apart = foretold(chances, 5).passes - said["pass"] / 500
    assert apart == pytest.approx(0, abs=0.03 + 2 * 0.011)


@pytest.mark.parametrize("repeats", [3, 5])
def test_the_drop_that_is_said_to_be_found_is_found(repeats: int):
    """Where each case is worse by the same factor; 80 % of them."""
    chances = difficulties(np.random.default_rng(7), (100,))
    drop = foretold(chances, repeats).detects
    assert drop is not None
    said = passed(chances, repeats, 500, factor=1 - drop / float(chances.mean()))
    assert said["fail"] / 500 == pytest.approx(0.8, abs=0.03 + 2 * 0.018)


def clustered(rng: Rng, chances: Floats) -> Floats:
    """Conversations of four turns, whose answers are good or bad together: (cases, 2)."""
    moods = np.repeat(rng.random((len(chances) // 4, 2)) < 0.8, 4, axis=0)
    return np.where(moods, answers(rng, chances, 2), answers(rng, chances * 0.5, 2))


@pytest.mark.parametrize("together", [True, False])
def test_power_with_clusters(together: bool):
    """Cases of a cluster may hang together, or be as independent as others."""
    chances = difficulties(np.random.default_rng(7), (320,))
    clusters = [f"talk {at // 4}" for at in range(320)]
    fixed = frame(320, STRICT, clusters=clusters)

    def drawn(rng: Rng, repeats: int) -> Floats:
        if not together:
            return answers(rng, chances, repeats)
        return np.concatenate([clustered(rng, chances) for _ in range(repeats // 2)], axis=1)

    rng = np.random.default_rng(SEED)
    seen = [scores(drawn(rng, 20))]
    (outlook,) = outlooks(seen, seen, fixed, repeats=2)
    assert outlook.cases == 80
    said = Counter(
        judge([scores(drawn(rng, 2))], [scores(drawn(rng, 2))], fixed, explore=False).verdict
        for _ in range(300)
    )
    assert outlook.passes == pytest.approx(said["pass"] / 300, abs=0.03 + 2 * 0.029)


def preferences(rng: Rng) -> Floats:
    """120 cases with three answers each, that are won as often as they are lost."""
    lost, tied, _ = rng.dirichlet([2, 6, 2], 120).T[:, :, None]
    drawn = rng.random((120, 3))
    return np.where(drawn < lost, -1.0, np.where(drawn < lost + tied, 0.0, 1.0))


def test_power_of_preferences():
    """However many answers a case has, it is one win or one loss."""
    policy = GatePolicy(primary=["preference"], margins={"preference": 0.1}, inconclusive="block")
    fixed = frame(120, policy)
    lacking = np.zeros((120, 3), np.uint8)
    nothing = [scores(np.full((120, 3), np.nan), "preference", "preference", status=lacking)]
    rng, said, foretell = np.random.default_rng(SEED), Counter[Verdict](), list[float]()
    for _ in range(300):
        seen = [scores(preferences(rng), "preference", "preference")]
        said[judge(seen, nothing, fixed, explore=False).verdict] += 1
        if len(foretell) < 30:
            foretell += [one.passes for one in outlooks(seen, nothing, fixed, repeats=3)]
    assert float(np.mean(foretell)) == pytest.approx(said["pass"] / 300, abs=0.03 + 2 * 0.029)
