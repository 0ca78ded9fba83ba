"""Verdicts of gates, on arrays: what passes, what fails, and what cannot be told."""

from collections.abc import Sequence

import numpy as np
import pytest

from evals.arrays import STRICT, Floats, frame, scores
from trimtab.datasets.suite import GatePolicy
from trimtab.evals.gate import Judgement, judge, judge_alone, primary_metrics
from trimtab.evals.scores import ABSENT, MEASURED, NOT_APPLICABLE, UNMEASURED, MetricScores

ALL, NONE = [1.0], [0.0]


def rows(*counts: tuple[int, Sequence[float]]) -> Floats:
    """So many cases with these values of their repeats, one kind after the other."""
    return np.array([list(values) for count, values in counts for _ in range(count)])


def told(*counts: tuple[int, Sequence[int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return rows(*[(count, [float(one) for one in values]) for count, values in counts]).astype(
        np.uint8
    )


def verdict(new: MetricScores, old: MetricScores, policy: GatePolicy = STRICT) -> Judgement:
    return judge([new], [old], frame(len(new.values), policy))


# ------------------------------------------------------------ one metric


def test_the_same_answers_pass_where_there_are_enough_cases():
    same = scores(rows((90, ALL), (10, NONE)))
    found = verdict(same, same)
    assert found.verdict == "pass"
    assert found.why == ["accuracy: certainly not worse by the margin"]
    assert (found.dropped_share, found.critical, found.repeats_may_settle) == (0.0, [], False)


@pytest.mark.parametrize("repeats", [1, 3, 5, 10])
@pytest.mark.parametrize("count", [1, 2, 3, 10, 30])
def test_too_few_cases_never_pass_and_never_fail_on_the_same(count: int, repeats: int):
    """Whatever their repeats say: they tell nothing of cases that were not asked."""
    for value in (0.0, 1.0):
        same = scores(np.full((count, repeats), value))
        found = verdict(same, same)
        assert found.verdict == "inconclusive"
        assert "cannot" not in found.comparisons[0].resolve
        assert found.comparisons[0].p_drop == pytest.approx(1 if repeats > 1 else 0.5, abs=0.51)


def test_nothing_at_all_is_inconclusive():
    for policy in (STRICT, GatePolicy(primary=["accuracy"])):
        found = judge([], [], frame(0, policy))
        assert found.verdict == "inconclusive"
        assert found.why
    empty = scores(np.zeros((0, 3)))
    assert verdict(empty, empty).verdict == "inconclusive"
    nothing = scores(np.zeros((80, 1)), status=np.full((80, 1), ABSENT))
    found = verdict(nothing, nothing)
    assert found.verdict == "inconclusive"
    assert found.dropped_share == 1.0


def test_a_real_drop_fails_and_a_lower_mean_alone_does_not():
    old = scores(rows((90, ALL), (10, NONE)))
    dropped = verdict(scores(rows((70, ALL), (30, NONE))), old)
    assert dropped.verdict == "fail"
    assert dropped.why == ["accuracy: really worse (p = 4.8e-07)"]
    lower = verdict(scores(rows((84, ALL), (6, NONE), (2, ALL), (8, NONE))), old)
    assert lower.verdict == "inconclusive"
    assert lower.comparisons[0].difference == pytest.approx(-0.04)
    assert lower.comparisons[0].resolve


def test_a_real_drop_within_the_margin_passes():
    """How much worse is good enough was decided by who set the margin."""
    old = scores(rows((2_000, ALL)))
    new = scores(rows((1_980, ALL), (20, NONE)))
    found = verdict(new, old)
    assert found.verdict == "pass"
    assert found.comparisons[0].p_drop is not None
    assert found.comparisons[0].p_drop < 1e-5


def test_a_better_candidate_passes_and_its_baseline_fails_against_it():
    good, bad = scores(rows((95, ALL), (5, NONE))), scores(rows((60, ALL), (40, NONE)))
    assert verdict(good, bad).verdict == "pass"
    assert verdict(bad, good).verdict == "fail"


def test_where_lower_is_better():
    low = scores(rows((5, ALL), (95, NONE)), "hallucination", higher_is_better=False)
    high = scores(rows((40, ALL), (60, NONE)), "hallucination", higher_is_better=False)
    assert verdict(low, high).verdict == "pass"
    found = verdict(high, low)
    assert found.verdict == "fail"
    assert found.comparisons[0].difference == pytest.approx(0.35), "as measured"


def test_amounts_are_compared_as_ratios():
    rng = np.random.default_rng(1)
    old = rng.lognormal(7, 1, (80, 3))
    policy = GatePolicy(primary=["latency"], margins={"latency": 1.2}, inconclusive="block")

    def against(factor: float) -> str:
        new = old * factor * rng.lognormal(0, 0.1, old.shape)
        of = ("latency", "amount")
        sides = [scores(one, *of, higher_is_better=False) for one in (new, old)]
        return verdict(sides[0], sides[1], policy).verdict

    assert [against(factor) for factor in (0.5, 1.0, 1.1, 1.5)] == ["pass"] * 3 + ["fail"]


def test_preferences_are_marks_of_one_side():
    policy = GatePolicy(primary=["preference"], inconclusive="block")
    nothing = scores(np.zeros((50, 1)), "preference", "preference", status=np.full((50, 1), ABSENT))

    def of(*counts: tuple[int, Sequence[float]]) -> Judgement:
        return verdict(scores(rows(*counts), "preference", "preference"), nothing, policy)

    assert of((40, [1.0]), (10, [-1.0])).verdict == "pass"
    assert of((10, [1.0]), (40, [-1.0])).verdict == "fail"
    assert of((25, [1.0]), (25, [-1.0])).verdict == "inconclusive"
    assert of((50, [0.0])).dropped_share == 0


# ------------------------------------------------------------ several metrics


def dropping(lost: int, metric: str = "accuracy") -> tuple[MetricScores, MetricScores]:
    """100 cases of which the candidate loses some and gains none."""
    return scores(rows((100 - lost, ALL), (lost, NONE)), metric), scores(rows((100, ALL)), metric)


def test_a_drop_counts_after_holm_over_those_that_decide():
    one, two, three = dropping(5), dropping(0, "format"), dropping(0, "refusal")
    (p,) = [found.p_drop for found in verdict(*one).comparisons]
    assert p == pytest.approx(0.5**5 / 2)
    policy = GatePolicy(alpha=0.03, inconclusive="block", margins={"accuracy": 0.01})
    assert verdict(*one, policy).verdict == "fail"
    both = judge([one[0], two[0]], [one[1], two[1]], frame(100, policy))
    assert both.verdict == "inconclusive", "p is twice as large"
    alone = GatePolicy(
        alpha=0.03, inconclusive="block", margins={"accuracy": 0.01}, primary=["accuracy"]
    )
    beside = judge([one[0], two[0], three[0]], [one[1], two[1], three[1]], frame(100, alone))
    assert beside.verdict == "fail", "what does not decide is no part of the family"


def test_all_that_decide_must_pass():
    good, unclear = dropping(0), dropping(3, "format")
    found = judge([good[0], unclear[0]], [good[1], unclear[1]], frame(100))
    assert found.verdict == "inconclusive"
    assert found.why == ["format: neither a drop nor its absence can be told from these cases"]
    assert [one.verdict for one in found.comparisons] == ["pass", "inconclusive"]


def test_which_metrics_decide():
    names = ("accuracy", "tone", "latency", "refusal", "format")
    metrics = [scores([[1.0], [1.0]], name) for name in names]
    metrics[3] = scores([[1.0], [1.0]], "refusal", status=np.full((2, 1), NOT_APPLICABLE))
    assert primary_metrics(metrics, frame(2)) == ["accuracy", "format"]
    advised = frame(2, advisory={"format": "nobody has checked the judge."})
    assert primary_metrics(metrics, advised) == ["accuracy"]
    named = frame(2, GatePolicy(primary=["latency", "tone"]))
    assert primary_metrics(metrics, named) == ["latency", "tone"]


def test_a_metric_that_applies_to_one_side_only_decides_nothing_well():
    """A candidate that refuses everything has nothing that could be a hallucination."""
    accuracy = dropping(0)
    of = ("hallucination", "rate")
    old = scores(rows((100, NONE)), *of, higher_is_better=False)
    new = scores(
        rows((100, NONE)), *of, higher_is_better=False, status=np.full((100, 1), NOT_APPLICABLE)
    )
    found = judge([accuracy[0], new], [accuracy[1], old], frame(100))
    assert found.verdict == "inconclusive"
    assert "hallucination" in " ".join(found.why)


def test_a_metric_that_is_named_and_not_there():
    policy = GatePolicy(primary=["accuracy", "tone"], inconclusive="block")
    found = verdict(*dropping(0), policy)
    assert (found.verdict, found.why) == ("inconclusive", ["tone: not measured in both"])


def test_what_only_advises_neither_passes_nor_fails():
    new, old = dropping(40)
    reason = "nobody has checked this judge."
    policy = GatePolicy(primary=["accuracy"], inconclusive="block")
    found = judge([new], [old], frame(100, policy, advisory={"accuracy": reason}))
    assert found.verdict == "inconclusive"
    assert found.comparisons[0].verdict == "advisory"
    assert found.why[0].startswith(f"accuracy: {reason} By itself it would say: really worse")


# ------------------------------------------------------------ what is missing


def lacking(new: Sequence[tuple[int, int]], old: Sequence[tuple[int, int]]) -> Judgement:
    """Cases that are right throughout, by how many have which status."""
    sides = [
        scores(np.ones((100, 1)), status=told(*[(count, [one]) for count, one in side]))
        for side in (new, old)
    ]
    return verdict(sides[0], sides[1])


def test_up_to_five_per_cent_may_be_missing():
    five = [(95, MEASURED), (5, UNMEASURED)]
    found = lacking(five, five)
    assert (found.verdict, found.dropped_share) == ("pass", pytest.approx(0.05))
    six = [(94, MEASURED), (6, UNMEASURED)]
    found = lacking(six, six)
    assert found.verdict == "inconclusive"
    assert found.why == ["accuracy: 6.0% of the planned rows were not measured in both"]
    assert not found.repeats_may_settle, "more answers do not bring back what failed"


def test_what_lacks_on_one_side_is_no_chance():
    whole = [(100, MEASURED)]
    assert lacking([(95, MEASURED), (5, UNMEASURED)], whole).verdict == "pass"
    policy = GatePolicy(most_unmeasured=0.2, inconclusive="block")
    new = scores(np.ones((100, 1)), status=told((90, [MEASURED]), (10, [UNMEASURED])))
    old = scores(np.ones((100, 1)))
    for one, other in ((new, old), (old, new)):
        found = verdict(one, other, policy)
        assert found.verdict == "inconclusive"
        assert "that is no chance" in found.why[0]


def test_what_does_not_apply_is_not_missing():
    some = [(70, MEASURED), (30, NOT_APPLICABLE)]
    found = lacking(some, some)
    assert (found.verdict, found.dropped_share) == ("pass", 0.0)
    assert found.comparisons[0].candidate.not_applicable == 30
    apart = [(70, MEASURED), (30, UNMEASURED)]
    found = lacking(apart, some)
    assert (found.verdict, found.dropped_share) == ("pass", 0.0), "what one side says holds"


def test_absent_rows_are_missing():
    found = lacking([(94, MEASURED), (6, ABSENT)], [(100, MEASURED)])
    assert found.verdict == "inconclusive"
    assert found.comparisons[0].candidate.cases == 94


def test_a_real_drop_among_what_was_measured_fails_all_the_same():
    new = scores(
        rows((50, ALL), (40, NONE), (10, ALL)),
        status=told((90, [MEASURED]), (10, [UNMEASURED])),
    )
    found = verdict(new, scores(rows((100, ALL))))
    assert found.verdict == "fail"
    assert len(found.why) > 1, "and the reader hears of both"


def test_a_row_that_lacks_changes_no_figure():
    values = np.random.default_rng(3).integers(0, 2, (80, 3)).astype(float)
    more = np.concatenate([values, np.zeros((80, 1))], axis=1)
    status = np.full(more.shape, MEASURED)
    status[:, 3] = UNMEASURED
    one = verdict(scores(values), scores(values[::-1]))
    lacks = [scores(side, status=status) for side in (more, more[::-1])]
    two = verdict(lacks[0], lacks[1])
    assert one.comparisons[0].difference == two.comparisons[0].difference
    assert one.comparisons[0].candidate.value == two.comparisons[0].candidate.value
    assert two.comparisons[0].candidate.unmeasured == 80


# ------------------------------------------------------------ critical cases, safety


def broken(repeats: int, *, passed: int = 0, count: int = 100, critical: int = 1) -> Judgement:
    """All is well but the first case, which always passed before."""
    new = np.ones((count, repeats))
    new[0, : repeats - passed] = 0
    return judge(
        [scores(new)],
        [scores(np.ones((count, repeats)))],
        frame(count, critical=range(critical)),
    )


def test_a_critical_case_that_breaks_fails_whatever_all_others_say():
    found = broken(5)
    assert found.verdict == "fail"
    assert found.why == ["case c0: accuracy in 0 of 5 repeats, 5 of 5 before (p = 0.004)"]
    (one,) = found.critical
    assert (one.case_id, one.metric, one.candidate_passed, one.baseline_passed, one.repeats) == (
        "c0",
        "accuracy",
        0,
        5,
        5,
    )
    assert broken(5, critical=0).verdict == "pass"


def test_two_guards_against_a_single_bad_draw():
    assert broken(1).verdict == "pass", "one answer proves nothing about one case"
    assert broken(5, passed=4).verdict == "pass"
    assert broken(10, passed=6).critical == [], "more than half still pass"
    assert broken(5, critical=60).critical == [], "their share of alpha is too small"
    assert broken(8, critical=60).verdict == "fail"


def test_a_critical_case_of_which_nothing_is_known_is_no_pass():
    new = scores(np.ones((100, 1)), status=told((1, [UNMEASURED]), (99, [MEASURED])))
    old = scores(np.ones((100, 1)))
    found = judge([new], [old], frame(100, critical=[0]))
    assert found.verdict == "inconclusive"
    assert found.why == ["critical case c0: accuracy was not measured"]
    assert judge([new], [old], frame(100, critical=[5])).verdict == "pass"
    inapplicable = scores(np.ones((100, 1)), status=told((1, [NOT_APPLICABLE]), (99, [MEASURED])))
    assert judge([new], [inapplicable], frame(100, critical=[0])).verdict == "pass"


def test_safety_may_not_fail_once_whether_it_decides_or_not():
    new, old = dropping(0)
    unsafe = np.ones((100, 3))
    unsafe[7, 1] = 0
    for kind in ("rate", "score"):
        safety = scores(unsafe, "safety", kind)
        found = judge([new, safety], [old, safety], frame(100))
        assert found.verdict == "fail", "also where the baseline was no better"
        assert found.why[0] == "case c7: safety in 2 of 3 repeats, 2 of 3 before"
    advised = frame(100, advisory={"safety": "nobody has checked this judge."})
    assert judge([new, scores(unsafe, "safety")], [old], advised).verdict == "pass"


# ------------------------------------------------------------ a first release


def alone(*metrics: MetricScores, floors: dict[str, float], **fields: float) -> Judgement:
    policy = GatePolicy(floors=floors, inconclusive="block", **fields)  # pyright: ignore[reportArgumentType]
    return judge_alone(metrics, frame(len(metrics[0].values), policy))


def test_floors():
    good = scores(rows((95, ALL), (5, NONE)))
    assert alone(good, floors={"accuracy": 0.85}).verdict == "pass"
    unclear = alone(good, floors={"accuracy": 0.93})
    assert unclear.verdict == "inconclusive"
    assert unclear.repeats_may_settle
    assert "cannot be told" in unclear.why[0]
    failed = alone(good, floors={"accuracy": 0.99})
    assert failed.verdict == "fail"
    assert failed.why[0].startswith("accuracy 0.95 (")
    assert failed.comparisons == []


def test_floors_where_lower_is_better():
    low = scores(rows((3, ALL), (97, NONE)), "hallucination", higher_is_better=False)
    assert alone(low, floors={"hallucination": 0.10}).verdict == "pass"
    assert alone(low, floors={"hallucination": 0.03}).verdict == "inconclusive"
    assert alone(low, floors={"hallucination": 0.001}).verdict == "fail"


def test_a_floor_is_needed_for_each_metric_that_decides():
    good = scores(rows((100, ALL)))
    also = scores(rows((100, ALL)), "format")
    found = alone(good, also, floors={"accuracy": 0.85})
    assert found.verdict == "inconclusive"
    assert "[gate.floors] says nothing of format" in found.why[0]
    assert alone(good, floors={}).verdict == "inconclusive"
    assert alone(good, floors={"accuracy": 0.8, "tone": 0.5}).verdict == "inconclusive"


def test_floors_with_few_cases_never_pass_on_a_perfect_score():
    assert alone(scores(np.ones((3, 5))), floors={"accuracy": 0.9}).verdict == "inconclusive"


def test_floors_with_missing_rows():
    some = scores(np.ones((100, 1)), status=told((90, [MEASURED]), (10, [UNMEASURED])))
    found = alone(some, floors={"accuracy": 0.85})
    assert found.verdict == "inconclusive"
    assert found.why[0] == "10.0% of the planned rows were not measured"
    assert not found.repeats_may_settle


def test_a_first_release_must_be_safe():
    good, unsafe = scores(rows((100, ALL))), rows((100, ALL))
    unsafe[3, 0] = 0
    found = alone(good, scores(unsafe, "safety"), floors={"accuracy": 0.85})
    assert found.verdict == "fail"
    assert found.why[0] == "case c3: safety in 0 of 1 repeats"


# ------------------------------------------------------------ slices, and what must not matter


def test_slices_are_explored():
    new = np.ones((200, 3))
    new[:20] = 0
    tags = {at: ["refunds"] if at < 25 else ["orders"] for at in range(200)}
    policy = GatePolicy(margins={"accuracy": 0.5}, inconclusive="block")
    found = judge([scores(new)], [scores(np.ones((200, 3)))], frame(200, policy, tags=tags))
    assert found.verdict == "pass", "a slice decides nothing"
    (one,) = found.slices
    assert (one.tag, one.cases, one.found) == ("refunds", 25, True)
    assert one.difference == pytest.approx(-0.8)
    none = judge(
        [scores(new)], [scores(np.ones((200, 3)))], frame(200, policy, tags=tags), explore=False
    )
    assert none.slices == []


def shuffled(rng: np.random.Generator, of: Floats) -> Floats:
    """Each case's repeats in another order."""
    return rng.permuted(of, axis=1)


@pytest.mark.parametrize("seed", range(10))
def test_neither_the_order_of_cases_nor_that_of_repeats_matters(seed: int):
    rng = np.random.default_rng(seed)
    new, old = rng.integers(0, 2, (2, 70, 3)).astype(float)
    order = rng.permutation(70)
    one = verdict(scores(new), scores(old))
    two = verdict(scores(shuffled(rng, new)[order]), scores(shuffled(rng, old)[order]))
    assert one.verdict == two.verdict
    (first,), (second,) = one.comparisons, two.comparisons
    for name in ("difference", "low", "high", "p_drop", "p_margin"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-9), name


@pytest.mark.parametrize("seed", range(10))
def test_both_cannot_be_worse_than_each_other(seed: int):
    rng = np.random.default_rng(seed)
    new, old = (scores((rng.random((80, 3)) < share).astype(float)) for share in (0.7, 0.85))
    one, two = verdict(new, old), verdict(old, new)
    assert "fail" not in {one.verdict} & {two.verdict}
    difference = one.comparisons[0].difference
    assert difference is not None
    assert two.comparisons[0].difference == pytest.approx(-difference)


def test_repeats_do_not_always_help():
    few = scores(np.ones((10, 3)))
    steady = [scores(np.repeat(one.values, 3, axis=1)) for one in dropping(3)]
    for new, old in ((few, few), (steady[0], steady[1])):
        found = verdict(new, old)
        assert found.verdict == "inconclusive"
        assert not found.repeats_may_settle
    assert verdict(*dropping(3)).repeats_may_settle, "of one answer nobody knows how noisy it is"


def test_noise_of_repeats_can_be_removed_by_more_of_them():
    rng = np.random.default_rng(5)
    new, old = ((rng.random((100, 2)) < 0.5).astype(float) for _ in range(2))
    found = verdict(scores(new), scores(old))
    assert found.verdict == "inconclusive"
    assert found.repeats_may_settle
    assert "repeats of each" in found.comparisons[0].resolve
