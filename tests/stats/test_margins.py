"""Verdicts: published examples, directions, inputs that say nothing, and what must not matter."""

from math import log

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stats.paired_tables import LLM_DRIFT, rows_of
from trimtab.stats.margins import (
    MARGINS,
    Decision,
    Goal,
    Sides,
    compare_preferences,
    compare_sides,
    verdict_of,
)
from trimtab.stats.means import clustered_error
from trimtab.stats.paired import PairCounts
from trimtab.stats.units import Floats

ACCURACY = Goal("rate", 0.05)


def once(pairs: PairCounts) -> Sides:
    """One answer a case."""
    candidate, baseline = rows_of(pairs)
    return Sides(candidate[:, None], baseline[:, None])


def coins(seed: int, shape: tuple[int, int], chance: float = 0.8) -> Floats:
    return (np.random.default_rng(seed).random(shape) < chance).astype(float)


def test_published_verdicts() -> None:
    sides = once(PairCounts(90, 3, 4, 3))
    wald = clustered_error((sides.candidate - sides.baseline)[:, 0], corrected=False)
    assert wald == pytest.approx(0.02644, abs=5e-6)
    found = compare_sides(sides, ACCURACY)
    assert (found.verdict, found.difference) == ("inconclusive", pytest.approx(-0.01))
    assert found.low == pytest.approx(-0.01 - 1.645 * wald, abs=0.01)
    assert found.p_margin == pytest.approx(0.065, abs=0.03)
    assert compare_sides(sides, Goal("rate", 0.10)).verdict == "pass"
    assert compare_sides(once(PairCounts(92, 1, 1, 6)), ACCURACY).verdict == "pass"


@pytest.mark.parametrize("drift", LLM_DRIFT[:4], ids=lambda drift: drift.name)
def test_real_drift_fails(drift: object) -> None:
    assert isinstance(drift, type(LLM_DRIFT[0]))
    found = compare_sides(once(drift.pairs), ACCURACY)
    assert found.verdict == "fail"
    assert found.p_drop < 0.001
    assert found.high is not None
    assert found.high < 0
    lower_is_better = compare_sides(once(drift.pairs), Goal("rate", 0.05, higher_is_better=False))
    assert lower_is_better.verdict == "pass"


def test_a_real_drop_within_the_margin_passes() -> None:
    found = compare_sides(once(PairCounts(1_900, 5, 25, 70)), ACCURACY)
    assert (found.verdict, found.p_drop < 0.001) == ("pass", True)
    assert found.high is not None
    assert found.high < 0


def test_the_verdict_after_holm() -> None:
    assert verdict_of(p_margin=0.2, p_drop=0.04) == "fail"
    assert verdict_of(p_margin=0.2, p_drop=0.08) == "inconclusive"
    assert verdict_of(p_margin=0.01, p_drop=0.04) == "pass"
    assert verdict_of(p_margin=0.05, p_drop=0.05) == "inconclusive"


def test_defaults() -> None:
    assert MARGINS["accuracy"] == 0.05
    assert MARGINS["cost"] == MARGINS["latency"] == 1.10


# ------------------------------------------------------------- inputs that say little or nothing


@pytest.mark.parametrize("goal", [ACCURACY, Goal("score", 0.05), Goal("amount", 1.1)])
@pytest.mark.parametrize(("cases", "repeats"), [(0, 3), (1, 3), (1, 1), (3, 5), (20, 1), (50, 5)])
def test_setups_that_never_differ_in_a_few_cases_do_not_pass(
    goal: Goal, cases: int, repeats: int
) -> None:
    rows = np.ones((cases, repeats))
    if goal.kind == "amount" and cases == 50:
        return  # a margin of log(1.1) needs 30
    found = compare_sides(Sides(rows, rows), goal)
    assert found.verdict == "inconclusive"
    assert found.p_margin > 0.05
    assert found.p_drop >= 0.05
    if cases > 1:
        assert found.difference == (1 if goal.kind == "amount" else 0)
        assert found.low is not None
        assert found.needed is not None
        wanted = 30 if goal.kind == "amount" else 59
        assert found.needed.cases == wanted
        more = np.ones((wanted, repeats))
        assert compare_sides(Sides(more, more), goal).verdict == "pass"


def test_of_no_case() -> None:
    for goal in (ACCURACY, Goal("score", 0.05), Goal("amount", 1.1)):
        found = compare_sides(Sides(np.empty((0, 2)), np.empty((0, 2))), goal)
        assert (found.verdict, found.difference, found.cases) == ("inconclusive", None, 0)
        assert found.needed is None
        assert (found.p_margin, found.correlation) == (1, None)
    unmeasured = Sides(np.full((80, 2), np.nan), np.ones((80, 2)))
    assert compare_sides(unmeasured, ACCURACY).cases == 0


def test_one_cluster_is_one_case() -> None:
    rows = np.ones((200, 3))
    found = compare_sides(Sides(rows, rows, ["doc"] * 200), ACCURACY)
    assert (found.verdict, found.clusters, found.cases) == ("inconclusive", 1, 200)
    assert (found.low, found.high) == (-1, 1)
    amounts = compare_sides(Sides(rows, rows, ["doc"] * 200), Goal("amount", 1.1))
    assert (amounts.low, amounts.high) == (None, None)


def test_one_case_never_fails() -> None:
    found = compare_sides(Sides(np.zeros((1, 9)), np.ones((1, 9))), ACCURACY)
    assert (found.verdict, found.difference) == ("inconclusive", -1)


def test_all_worse_by_the_same() -> None:
    rows = np.full((3, 2), 0.8)
    assert compare_sides(Sides(rows - 0.2, rows), Goal("score", 0.05)).verdict == "inconclusive"
    rows = np.full((4, 2), 0.8)
    assert compare_sides(Sides(rows - 0.2, rows), Goal("score", 0.05)).verdict == "fail"
    rows = np.full((60, 2), 0.8)
    found = compare_sides(Sides(rows - 0.2, rows), Goal("score", 0.05))
    assert (found.verdict, found.p_drop) == ("fail", 0)
    assert compare_sides(Sides(rows, rows - 0.2), Goal("score", 0.05)).p_drop == 1


def test_what_is_not_of_the_kind() -> None:
    half, zero = np.full((3, 1), 0.5), np.zeros((3, 1))
    for rows, goal, problem in (
        (half, ACCURACY, "neither 0 nor 1"),
        (half + 1, Goal("score", 0.05), "outside"),
        (zero, Goal("amount", 1.1), "no ratio"),
        (half, Goal("score", 0.0), "margin is 0"),
        (half, Goal("score", 1.1), r"margin is 1\.1"),
        (half, Goal("amount", 0.9), "ratio above 1"),
        (half, Goal("amount", 3.0), "ratio above 1"),
        (half, Goal("amount", -1.0), "ratio above 1"),
        (half, Goal("score", 0.05, alpha=0.6), "alpha"),
    ):
        with pytest.raises(ValueError, match=problem):
            compare_sides(Sides(rows, rows), goal)
    with pytest.raises(ValueError, match="3 cases of the candidate, 2"):
        compare_sides(Sides(half, half[:2]), Goal("score", 0.05))
    with pytest.raises(ValueError, match="margin"):
        compare_preferences(half, margin=2)


# ------------------------------------------------------------------------- which method, and why


def test_methods() -> None:
    once_each = compare_sides(Sides(coins(1, (80, 1)), coins(2, (80, 1))), ACCURACY)
    assert once_each.method == "Tango score interval, McNemar mid-p"
    some = [str(at // 2) for at in range(80)]
    clustered = compare_sides(Sides(coins(1, (80, 1)), coins(2, (80, 1)), some), ACCURACY)
    assert (clustered.method, clustered.clusters) == ("t on means of clusters, sign flips", 40)
    many = compare_sides(Sides(coins(1, (80, 3)), coins(2, (80, 3))), ACCURACY)
    assert many.method == "t on means of cases"
    small = compare_sides(Sides(coins(1, (20, 3)), coins(2, (20, 3))), ACCURACY)
    assert small.method == "t on means of cases, sign flips"


def test_clusters_of_one_are_no_clusters() -> None:
    sides = Sides(coins(1, (80, 1)), coins(2, (80, 1)))
    alone = sides._replace(clusters=[""] * 80)
    assert compare_sides(alone, ACCURACY) == compare_sides(sides, ACCURACY)


def test_copies_of_a_case_in_a_cluster_prove_no_more() -> None:
    sides = Sides(coins(3, (60, 3)), coins(4, (60, 3)))
    copied = Sides(
        np.repeat(sides.candidate, 5, axis=0),
        np.repeat(sides.baseline, 5, axis=0),
        [str(at // 5) for at in range(300)],
    )
    one, two = compare_sides(sides, ACCURACY), compare_sides(copied, ACCURACY)
    for name in ("difference", "low", "high", "p_drop", "p_margin", "clusters"):
        assert getattr(one, name) == pytest.approx(getattr(two, name)), name


def test_amounts_are_ratios_whatever_their_unit() -> None:
    rng = np.random.default_rng(19)
    baseline = rng.lognormal(7, 0.5, (60, 3))
    candidate = baseline * rng.lognormal(log(1.3), 0.1, (60, 3))
    goal = Goal("amount", 1.1, higher_is_better=False)
    found = compare_sides(Sides(candidate, baseline), goal)
    assert found.verdict == "fail"
    assert found.difference == pytest.approx(1.3, rel=0.03)
    assert found.low is not None
    assert found.high is not None
    assert found.difference is not None
    assert 1.2 < found.low < found.difference < found.high < 1.4
    in_other_units = compare_sides(Sides(candidate * 1e6, baseline * 1e6), goal)
    assert in_other_units.low == pytest.approx(found.low)
    cheaper = compare_sides(Sides(baseline, candidate), goal)
    assert cheaper.verdict == "pass"
    assert cheaper.difference == pytest.approx(1 / found.difference)


# ------------------------------------------------------------------------------------ preferences


def record(wins: int, ties: int, losses: int) -> Floats:
    return np.repeat([1.0, 0.0, -1.0], [wins, ties, losses])[:, None]


def test_the_size_of_a_win_does_not_matter() -> None:
    """A t interval on labels calls the first a win and the second, which is better, none."""
    narrow, wide = np.array([0.4] * 4 + [0.0] * 3), np.array([1.0] + [0.4] * 3 + [0.0] * 3)
    ends = [
        float(values.mean() - 1.94318 * values.std(ddof=1) / np.sqrt(7))
        for values in (narrow, wide)
    ]
    assert ends[0] > 0 > ends[1] or ends[0] > ends[1]
    one = compare_preferences(narrow[:, None], margin=0.05)
    two = compare_preferences(wide[:, None], margin=0.05)
    assert one == two == compare_preferences(record(4, 3, 0), margin=0.05)
    assert one.difference == pytest.approx(4 / 7)
    assert one.p_drop == pytest.approx(1 - 1 / 32)


def test_preferences_are_decided_by_counts() -> None:
    assert compare_preferences(record(5, 90, 5), margin=0.05).verdict == "inconclusive"
    assert compare_preferences(record(5, 90, 5), margin=0.10).verdict == "pass"
    assert compare_preferences(record(30, 40, 30), margin=0.05).verdict == "inconclusive"
    assert compare_preferences(record(10, 40, 50), margin=0.05).verdict == "fail"
    assert compare_preferences(record(50, 40, 10), margin=0.05).verdict == "pass"
    assert compare_preferences(record(0, 0, 0), margin=0.05).verdict == "inconclusive"


def test_a_case_is_won_by_most_of_its_repeats() -> None:
    rows = np.array([[1, 1, -1], [1, -1, 0], [-1, -1, 1], [np.nan, 1, np.nan], [np.nan] * 3])
    found = compare_preferences(rows, margin=0.05)
    assert (found.cases, found.difference) == (4, 0.25)
    clustered = compare_preferences(rows, ["a", "a", "b", "b", "c"], margin=0.05)
    assert (clustered.cases, clustered.clusters) == (4, 2)
    assert clustered.method == "t on means of clusters, sign flips"


# ------------------------------------------------------------------------- what must not matter

rows_of_rates = st.tuples(st.integers(2, 70), st.integers(1, 4), st.integers(0, 10**6))


def random_sides(shape: tuple[int, int, int], *, holes: bool = False) -> Sides:
    cases, repeats, seed = shape
    rng = np.random.default_rng(seed)
    chances = rng.beta(1, 0.3, (cases, 1))
    sides = [(rng.random((cases, repeats)) < chances).astype(float) for _ in range(2)]
    if holes:
        for side in sides:
            side[rng.random(side.shape) < 0.1] = np.nan
    clusters = [f"c{at}" for at in rng.integers(0, cases, cases)] if seed % 2 else None
    return Sides(sides[0], sides[1], clusters)


@given(rows_of_rates)
@example((3, 3, 2647))  # gains of a cluster that cancel each other
@settings(max_examples=60)
def test_swapping_the_setups_mirrors_everything(shape: tuple[int, int, int]) -> None:
    sides = random_sides(shape)
    one = compare_sides(sides, ACCURACY)
    two = compare_sides(Sides(sides.baseline, sides.candidate, sides.clusters), ACCURACY)
    mirror_of(one, two)
    flipped = compare_sides(
        Sides(1 - sides.candidate, 1 - sides.baseline, sides.clusters),
        ACCURACY._replace(higher_is_better=False),
    )
    assert flipped.verdict == one.verdict
    assert (flipped.p_drop, flipped.p_margin) == pytest.approx((one.p_drop, one.p_margin), abs=1e-9)


def mirror_of(one: Decision, two: Decision) -> None:
    assert one.difference is not None
    assert one.low is not None
    assert one.high is not None
    expected = (-one.difference, -one.high, -one.low, 1 - one.p_drop)
    assert (two.difference, two.low, two.high, two.p_drop) == pytest.approx(expected, abs=1e-9)
    assert (two.cases, two.clusters, two.method) == (one.cases, one.clusters, one.method)


@given(rows_of_rates)
@settings(max_examples=60)
def test_order_makes_no_difference(shape: tuple[int, int, int]) -> None:
    sides = random_sides(shape, holes=True)
    order = np.random.default_rng(shape[2]).permutation(shape[0])
    labels = sides.clusters and [sides.clusters[int(at)] for at in order]
    mixed = Sides(sides.candidate[order][:, ::-1], sides.baseline[order], labels)
    one, two = compare_sides(sides, ACCURACY), compare_sides(mixed, ACCURACY)
    assert one.verdict == two.verdict
    for name in ("difference", "low", "high", "p_drop", "p_margin"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), abs=1e-9), name


@given(rows_of_rates, st.integers(1, 3))
@settings(max_examples=60)
def test_rows_without_a_value_change_nothing(shape: tuple[int, int, int], more: int) -> None:
    sides = random_sides(shape)
    padded = [np.pad(rows, ((0, 1), (0, more)), constant_values=np.nan) for rows in sides[:2]]
    labels = None if sides.clusters is None else [*sides.clusters, "c0"]
    assert compare_sides(Sides(padded[0], padded[1], labels), ACCURACY) == compare_sides(
        sides, ACCURACY
    )


@given(rows_of_rates, st.floats(0.01, 0.3))
@settings(max_examples=60)
def test_a_pass_is_a_bound_above_the_margin(shape: tuple[int, int, int], margin: float) -> None:
    found = compare_sides(random_sides(shape), Goal("rate", margin))
    assert found.low is not None
    assert found.high is not None
    assert found.difference is not None
    assert found.low <= found.difference <= found.high
    if abs(found.low + margin) > 1e-6:
        assert (found.verdict == "pass") == (found.low > -margin)
    assert (found.needed is None) == (found.verdict == "pass")
