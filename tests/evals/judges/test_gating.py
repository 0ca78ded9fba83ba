"""Which metrics gate nothing."""

from pathlib import Path

import msgspec
import pytest
from typing_extensions import override

from evals.judges.labels import JUDGE, calibration_of
from trimtab.errors import ConfigError
from trimtab.evals.evaluator import Ask, Evaluator, Sample, Score, measured
from trimtab.evals.judges.calibration import calibration_path, write_calibration
from trimtab.evals.judges.eligible import Policy
from trimtab.evals.judges.gating import advisory_metrics, judge_models
from trimtab.evals.registry import SuiteEvaluator
from trimtab.types.experiments import Mark

GOOD = [(1.0, 1.0)] * 48 + [(0.0, 0.0)] * 46 + [(1.0, 0.0)] * 3 + [(0.0, 1.0)] * 3


class Content(Evaluator):
    """Likes everything."""

    @override
    async def evaluate(self, sample: Sample, ask: Ask) -> Score:
        return measured(1)


def evaluator_of(name: str, metric: str, *, asks: bool = True) -> SuiteEvaluator:
    return SuiteEvaluator(
        name=name,
        use="rubric",
        metric=metric,
        kind="rate",
        higher_is_better=True,
        asks=asks,
        hash=JUDGE.hash,
        evaluator=Content(),
    )


TONE, WIT = evaluator_of("tone", "quality"), evaluator_of("wit", "quality")
RULE = evaluator_of("exact", "accuracy", asks=False)


def test_a_metric_whose_judge_nobody_has_checked_is_advisory(tmp_path: Path):
    found = advisory_metrics(tmp_path, [TONE, RULE])
    assert found == {
        "quality": "tone: nobody has checked this judge. Run `trimtab eval calibrate`."
    }


def test_one_whose_judge_agrees_with_people_gates(tmp_path: Path):
    write_calibration(tmp_path, calibration_of(GOOD))
    assert advisory_metrics(tmp_path, [TONE, RULE]) == {}
    strict = advisory_metrics(tmp_path, [TONE], policy=Policy(least_kappa=0.8))
    assert "must reach 0.8" in strict["quality"]


def test_every_judge_of_a_metric_must_agree(tmp_path: Path):
    write_calibration(tmp_path, calibration_of(GOOD))
    assert advisory_metrics(tmp_path, [TONE, WIT])["quality"].startswith("wit: nobody")


def test_it_is_the_model_that_judged(tmp_path: Path):
    write_calibration(tmp_path, calibration_of(GOOD))
    same = {"tone": {JUDGE.served_model}}
    assert advisory_metrics(tmp_path, [TONE], judged_by=same) == {}
    other = {"tone": {JUDGE.served_model, "local:judge-2"}}
    assert "local:judge-2 judged" in advisory_metrics(tmp_path, [TONE], judged_by=other)["quality"]


def test_it_is_exactly_this_judge(tmp_path: Path):
    write_calibration(tmp_path, calibration_of(GOOD))
    changed = msgspec.structs.replace(TONE, hash="0" * 64)
    assert "another rubric" in advisory_metrics(tmp_path, [changed])["quality"]


def test_a_broken_calibration_is_told_before_anything_is_spent(tmp_path: Path):
    write_calibration(tmp_path, calibration_of(GOOD))
    calibration_path(tmp_path, "tone").write_text("{")
    with pytest.raises(ConfigError, match=r"tone\.json"):
        advisory_metrics(tmp_path, [TONE])


def test_models_are_told_by_evaluator():
    def mark(evaluator: str, model: str) -> Mark:
        return Mark(
            setup_hash="s",
            case_hash="c",
            repeat=0,
            served_model="answers",
            evaluator=evaluator,
            evaluator_hash="e",
            metric="quality",
            status="measured",
            value=1.0,
            judge_model=model,
        )

    marks = [mark("tone", "a, b"), mark("tone", "c"), mark("wit", "a"), mark("exact", "")]
    assert judge_models(marks) == {"tone": {"a", "b", "c"}, "wit": {"a"}}
