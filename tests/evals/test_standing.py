"""What judges are worth after a run: who has judged, how well, and what is corrected for."""

from pathlib import Path

import msgspec
import pytest

from evals.judges.labels import calibration_of
from evals.judges.scripted import part_of, says
from evals.scripted_stage import Stage, always, case_lines, ready
from trimtab.datasets.case import Case
from trimtab.evals.evaluator import AskRequest
from trimtab.evals.judges.calibration import Judge, write_calibration
from trimtab.evals.registry import load_evaluators
from trimtab.evals.result import Figure, Result
from trimtab.evals.setups import Ready

NEW, OLD = ready("new"), ready("old")
SUITE = """
[[evaluators]]
use = "rubric"
name = "kind"
metric = "kindness"
model = "judge"
rubric = "The answer is kind."
[gate]
primary = ["kindness"]
inconclusive = "block"
[gate.floors]
kindness = 0.6
"""
SURE = [(1.0, 1.0)] * 60 + [(0.0, 0.0)] * 60
LENIENT = [(1.0, 1.0)] * 70 + [(0.0, 0.0)] * 62 + [(0.0, 1.0)] * 8
"""People, and the judge: it passes a few that people fail."""


def kind(_ready: Ready, case: Case, _repeat: int) -> str:
    """Three answers of four are kind."""
    return "rude" if case.id.endswith(("0", "4")) else "kind"


def judge(request: AskRequest) -> str:
    return says("pass" if "kind" in part_of(request, "answer") else "fail")(request)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path, SUITE, case_lines(100, expected={}), kind)
    made.answers.judge = judge
    return made


def calibrate(stage: Stage, said: list[tuple[float, float]], *, model: str = "judge-1") -> None:
    (one,) = [
        found
        for found in load_evaluators(stage.suite, schema_declared=False).evaluators
        if found.asks
    ]
    who = Judge(
        evaluator=one.name,
        use=one.use,
        kind=one.kind,
        higher_is_better=one.higher_is_better,
        hash=one.hash,
        served_model=model,
    )
    write_calibration(stage.suite.folder, calibration_of(said, judge=who))


def figure(result: Result) -> Figure:
    (found,) = [one for one in result.figures if one.metric == "kindness"]
    return found


def test_a_judge_that_nobody_checked_decides_nothing(stage: Stage):
    result = stage.gate(NEW, OLD)
    assert result.verdict == "inconclusive"
    assert result.comparisons[0].verdict == "advisory"
    assert "nobody has checked this judge" in result.why[0]
    assert result.judge_nanousd > 0


def test_a_judge_that_people_agree_with_decides(stage: Stage):
    calibrate(stage, SURE)
    result = stage.gate(NEW, OLD)
    assert (result.verdict, result.comparisons[0].verdict) == ("pass", "pass")
    assert figure(result).advisory == ""


def test_another_model_behind_the_judge_decides_nothing(stage: Stage):
    """Known only after the run: before it nobody knows who will answer."""
    calibrate(stage, SURE)
    stage.answers.judge_model = "judge-2"
    order = stage.order("gate", NEW, OLD)
    assert not order.advisory
    result = stage.carry_out(order)
    assert (result.verdict, result.comparisons[0].verdict) == ("inconclusive", "advisory")
    assert "calibrated with judge-1, and judge-2 judged" in figure(result).advisory


def test_judges_are_asked_again_when_told_to(stage: Stage):
    calibrate(stage, SURE)
    stage.answers.judge_model = "judge-2"
    stage.gate(NEW, OLD)
    stage.answers.judge_model = "judge-1"
    assert stage.gate(NEW, OLD).verdict == "inconclusive", "what was said stays"
    asked = len(stage.answers.judged)
    again = stage.gate(NEW, OLD, judge_again=True)
    assert len(stage.answers.judged) == 2 * asked
    assert again.verdict == "pass"


def test_the_figure_is_corrected_for_what_the_judge_gets_wrong(stage: Stage):
    calibrate(stage, LENIENT)
    result = stage.run(NEW)
    found = figure(result)
    assert found.raw is not None
    assert found.estimate is not None
    assert found.raw.value == pytest.approx(0.8)
    assert found.estimate.value is not None
    assert found.raw.value is not None
    assert found.estimate.value < found.raw.value
    assert found.estimate.method == "Rogan-Gladen, Lang-Reiczigel"
    assert found.estimate.low is not None
    assert found.raw.low is not None
    assert found.estimate.low < found.raw.low
    assert found.estimate.rows == found.raw.rows == 100


def test_a_floor_is_held_against_the_corrected_figure(stage: Stage):
    calibrate(stage, SURE)
    assert stage.gate(NEW, None).verdict == "pass"
    calibrate(stage, LENIENT)
    toml = SUITE.replace("kindness = 0.6", "kindness = 0.72")
    stage.write(toml, case_lines(100, expected={}))
    result = stage.gate(NEW, None)
    assert result.verdict == "inconclusive"
    assert figure(result).raw is not None
    reached = msgspec.structs.asdict(figure(result))["estimate"]
    assert f"{reached.low:.3g}" in result.why[0]


def test_an_advisory_metric_is_not_corrected(stage: Stage):
    calibrate(stage, LENIENT[:20])
    found = figure(stage.run(NEW))
    assert "label" in found.advisory
    assert found.raw is None


def test_a_metric_that_nobody_named_and_only_advises_blocks_nothing(tmp_path: Path):
    toml = SUITE.replace('metric = "kindness"', 'metric = "refusal"')
    toml = toml.replace('primary = ["kindness"]', "").split("[gate.floors]", maxsplit=1)[0]
    toml += '[[evaluators]]\nuse = "contains"\n'
    stage = Stage(tmp_path, toml, case_lines(100, expected={"contains": "i"}), kind)
    stage.answers.judge = judge
    stage.answers.said = always("kind")
    result = stage.gate(NEW, OLD)
    assert result.verdict == "pass"
    assert {one.metric: one.verdict for one in result.comparisons}["refusal"] == "advisory"


# ------------------------------------------------------------------ preferences

PREFERENCE = """
[[evaluators]]
use = "preference"
model = "judge"
criteria = ["It is kind."]
[gate]
primary = ["preference"]
inconclusive = "block"
"""
TIES = [(1.0, 1.0)] * 40 + [(0.0, 0.0)] * 40 + [(-1.0, -1.0)] * 40


def prefer(request: AskRequest) -> str:
    """The longer one of two answers."""
    first, second = (part_of(request, f"{place} answer") for place in ("first", "second"))
    longer = (
        "tie" if len(first) == len(second) else "second" if len(second) > len(first) else "first"
    )
    return says(longer)(request)


def test_a_preference_decides_though_it_is_of_both_setups_in_one(tmp_path: Path):
    stage = Stage(tmp_path, PREFERENCE, case_lines(80, expected={}), always("kind"))
    stage.answers.judge = prefer
    calibrate(stage, TIES)
    result = stage.gate(NEW, OLD)
    assert (result.verdict, result.dropped_share) == ("pass", 0.0)

    def longer(setup: Ready, _case: Case, _repeat: int) -> str:
        return "very kind" if setup is OLD else "kind"

    stage.answers.said = longer
    worse = stage.gate(NEW, ready("older"))
    assert worse.verdict == "pass", "neither is longer"
    stage.clock.advance(1)
    lost = stage.gate(NEW, OLD, fresh=True)
    assert (lost.verdict, lost.comparisons[0].difference) == ("fail", -1.0)
