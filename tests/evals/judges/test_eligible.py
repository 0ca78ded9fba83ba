"""What a judge must show before it may gate."""

import pytest

from evals.judges.labels import BASELINE, CANDIDATE, JUDGE, calibration_of, judge_of
from trimtab.evals.judges.calibration import Calibration
from trimtab.evals.judges.eligible import Policy, agreement_of, check_judge

GOOD = [(1.0, 1.0)] * 48 + [(0.0, 0.0)] * 46 + [(1.0, 0.0)] * 3 + [(0.0, 1.0)] * 3
SERVED = [JUDGE.served_model]


def test_a_judge_that_agrees_may_gate():
    found = check_judge(calibration_of(GOOD), JUDGE.hash, SERVED)
    assert found.eligible
    assert found.why == "kappa 0.88 (0.75 to 0.97) from 100 labels"
    assert found.agreement is not None
    assert found.agreement.labels == 100


def test_a_judge_whom_nobody_has_checked_may_not():
    found = check_judge(None, JUDGE.hash, SERVED)
    assert not found.eligible
    assert "nobody has checked" in found.why
    assert found.agreement is None


@pytest.mark.parametrize(
    ("judge_hash", "served", "problem"),
    [
        ("0" * 64, SERVED, "another rubric"),
        (JUDGE.hash, ["local:judge-2"], "calibrated with local:judge-1, and local:judge-2 judged"),
        (JUDGE.hash, ["local:judge-2", *SERVED], "local:judge-2 judged"),
    ],
)
def test_it_is_exactly_this_judge(judge_hash: str, served: list[str], problem: str):
    found = check_judge(calibration_of(GOOD), judge_hash, served)
    assert not found.eligible
    assert problem in found.why


def test_where_no_model_was_asked_anew_there_is_none_to_compare():
    assert check_judge(calibration_of(GOOD), JUDGE.hash, []).eligible


def test_too_few_labels():
    found = check_judge(calibration_of(GOOD[::4]), JUDGE.hash, SERVED)
    assert not found.eligible
    assert found.why == "it has 25 labels; label 25 more"
    assert found.agreement is not None
    none = Calibration(judge=JUDGE, population=[], labels=[])
    assert "has no labels" in check_judge(none, JUDGE.hash, SERVED).why


def test_a_judge_that_says_always_the_same_may_not():
    always = [(1.0, 1.0)] * 90 + [(0.0, 1.0)] * 10
    found = check_judge(calibration_of(always), JUDGE.hash, SERVED)
    assert not found.eligible
    assert "kappa is 0.00" in found.why
    assert "make the rubric say" in found.why


def test_where_all_labels_are_one_nothing_is_shown():
    found = check_judge(calibration_of([(1.0, 1.0)] * 100), JUDGE.hash, SERVED)
    assert not found.eligible
    assert "in one category" in found.why


def test_a_lower_end_below_the_limit_needs_more_labels():
    nearly = [(1.0, 1.0)] * 26 + [(0.0, 0.0)] * 24 + [(1.0, 0.0)] * 4 + [(0.0, 1.0)] * 4
    calibration = calibration_of(nearly)
    found = check_judge(calibration, JUDGE.hash, SERVED)
    assert not found.eligible
    assert "More labels make the interval narrower" in found.why
    assert check_judge(calibration, JUDGE.hash, SERVED, policy=Policy(least_kappa=0.4)).eligible


def test_verdicts_without_a_label_are_no_trifle():
    calibration = calibration_of(GOOD[:94], rows={0.0: 46, 1.0: 48, 0.5: 10})
    found = check_judge(calibration, JUDGE.hash, SERVED)
    assert found.eligible, "0.5 is called fail here, and fails have labels"
    score = judge_of("score")
    calibration = calibration_of(GOOD[:94], judge=score, rows={0.0: 46, 1.0: 48, 0.5: 10})
    found = check_judge(calibration, JUDGE.hash, SERVED)
    assert not found.eligible
    assert found.why == "10% of the rows have a verdict of which none is labelled"


def test_agreement_of_one_setup():
    calibration = calibration_of(GOOD)
    assert agreement_of(calibration, CANDIDATE) == agreement_of(calibration)
    assert agreement_of(calibration, BASELINE) is None
    wide = agreement_of(calibration, z=3.0)
    usual = agreement_of(calibration)
    assert wide is not None
    assert usual is not None
    assert wide.raw.low < usual.raw.low


def test_five_steps_count_by_their_distance():
    near = [(0.75, 0.5), (0.5, 0.75), (1.0, 0.75), (0.25, 0.0), (0.0, 0.25)] * 10
    exact = [(n / 4, n / 4) for n in range(5)] * 10
    found = agreement_of(calibration_of(near + exact, judge=judge_of("score")))
    assert found is not None
    assert found.raw.value == pytest.approx(0.5)
    assert found.kappa is not None
    assert found.kappa.value > 0.65
    assert found.sensitivity is not None


def test_preferences_have_neither_sensitivity_nor_specificity():
    said = [(1.0, 1.0), (0.0, 0.0), (-1.0, -1.0), (-1.0, 1.0)] * 20
    found = agreement_of(calibration_of(said, judge=judge_of("preference")))
    assert found is not None
    assert found.sensitivity is None
    assert found.specificity is None
    assert found.raw.value == 0.75
