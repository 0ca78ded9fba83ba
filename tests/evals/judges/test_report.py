"""Everything about a judge in one value."""

import pytest

from evals.judges.labels import BASELINE, CANDIDATE, JUDGE, calibration_of, judge_of
from trimtab.evals.judges.eligible import Policy
from trimtab.evals.judges.report import Differing, report

SAID = [(1.0, 1.0)] * 30 + [(0.0, 0.0)] * 26 + [(0.0, 1.0), (1.0, 0.0)]


def test_it_has_the_figures_and_the_rows_to_read():
    found = report(
        calibration_of(SAID, lengths=list(range(50, 108))),
        JUDGE.hash,
        [JUDGE.served_model],
        setups=(CANDIDATE, BASELINE),
    )
    assert found.standing.eligible
    assert found.length is not None
    assert found.position is None
    assert found.arms == (None, None)
    assert found.differing == [
        Differing("c56", CANDIDATE, 0, "fail", "pass"),
        Differing("c57", CANDIDATE, 0, "pass", "fail"),
    ]
    assert found.labellers == {"ada": 38, "kim": 20}
    assert found.skipped == 0


def test_the_policy_decides():
    calibration = calibration_of(SAID)
    assert report(calibration, JUDGE.hash).standing.eligible
    strict = report(calibration, JUDGE.hash, policy=Policy(least_labels=100))
    assert not strict.standing.eligible
    assert strict.arms is None


def test_a_judge_of_two_answers_has_its_places():
    said = [(1.0, 1.0), (0.0, 0.0), (-1.0, 1.0)] * 20
    found = report(
        calibration_of(said, judge=judge_of("preference")),
        JUDGE.hash,
        mark_labels=["better"] * 8 + ["first both times"] * 2,
    )
    assert found.position is not None
    assert found.position.consistent.value == pytest.approx(0.8)
    assert {(one.human, one.judge) for one in found.differing} == {("worse", "better")}


def test_the_largest_differences_come_first():
    said = [(0.5, 0.75), (0.0, 1.0), (0.25, 0.75)] + [(1.0, 1.0)] * 5
    found = report(calibration_of(said, judge=judge_of("score")), JUDGE.hash)
    assert [(one.human, one.judge) for one in found.differing] == [
        ("1", "5"),
        ("2", "4"),
        ("3", "4"),
    ]
