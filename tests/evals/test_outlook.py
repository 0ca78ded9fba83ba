"""What a gate will be able to tell, and which margins nothing can reach."""

from pathlib import Path

import numpy as np
import pytest

from evals.scripted_stage import Stage, always, case_lines, ready
from trimtab.datasets.case import Case
from trimtab.datasets.suite import GatePolicy
from trimtab.evals.frame import Frame
from trimtab.evals.gate import judge
from trimtab.evals.outlook import cases_needed, grid_of, outlooks
from trimtab.evals.reach import OutOfReach, out_of_reach
from trimtab.evals.registry import load_evaluators
from trimtab.evals.scores import MEASURED, MetricScores
from trimtab.types.experiments import MetricKind


def perfect(cases: int, repeats: int, kind: MetricKind = "rate") -> MetricScores:
    value = 100.0 if kind == "amount" else 1.0
    return MetricScores(
        "accuracy",
        kind,
        True,
        np.full((cases, repeats), value),
        np.full((cases, repeats), MEASURED, np.uint8),
        asks=False,
    )


def frame(cases: int, margin: float = 0.05) -> Frame:
    policy = GatePolicy(primary=["accuracy"], margins={"accuracy": margin})
    return Frame([Case(id=f"c{number}") for number in range(cases)], policy, {})


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_so_many_cases_are_needed_and_one_fewer_does_not_do(repeats: int, margin: float):
    """Held against the gate itself: nothing changes, everything is right."""
    needed = cases_needed(margin, "rate", repeats=repeats, alpha=0.05)
    for cases, verdict in ((needed, "pass"), (needed - 1, "inconclusive")):
        scores = perfect(cases, repeats)
        assert judge([scores], [scores], frame(cases, margin)).verdict == verdict
    assert {(0.05, 1): 52, (0.05, 3): 59, (0.02, 1): 133, (0.02, 3): 149}[margin, repeats] == needed


def test_amounts_need_cases_by_the_logarithm_of_their_margin():
    needed = cases_needed(1.10, "amount", repeats=1, alpha=0.05)
    scores = perfect(needed, 1, "amount")
    assert judge([scores], [scores], frame(needed, 1.10)).verdict == "pass"
    fewer = perfect(needed - 1, 1, "amount")
    assert judge([fewer], [fewer], frame(needed - 1, 1.10)).verdict == "inconclusive"


def test_answers_that_are_all_right_do_not_promise_that_all_will_be():
    (found,) = outlooks([perfect(60, 3)], [], frame(60), repeats=3)
    assert found.known
    assert found.detects is not None
    assert found.detects > 0.02
    assert 0 < found.passes < 1


def test_amounts_are_told_as_ratios():
    (found,) = outlooks([perfect(100, 1, "amount")], [], frame(100, 1.10), repeats=1)
    assert found.detects is not None
    assert found.detects >= 1


def test_the_grid_has_the_suite_and_round_numbers():
    grid = grid_of([perfect(77, 2)], frame(77))
    assert sorted({cell.cases for cell in grid}) == [50, 77, 100, 200, 400]
    assert {cell.cases for cell in grid if cell.is_now} == {77}
    assert len(grid) == 5 * 4


def test_the_grid_has_every_metric_that_decides():
    both = [perfect(60, 2), perfect(60, 2)._replace(metric="format")]
    policy = GatePolicy(primary=["accuracy", "format"])
    grid = grid_of(both, frame(60)._replace(policy=policy))
    assert {cell.metric for cell in grid} == {"accuracy", "format"}


def test_margins_that_nothing_can_reach(tmp_path: Path):
    toml = (
        '[[evaluators]]\nuse = "contains"\n[gate]\nprimary = ["accuracy", "refusal", "latency"]\n'
        'inconclusive = "block"\n'
    )
    stage = Stage(tmp_path, toml, case_lines(60), always("good"))
    found = {one.metric: one.needs for one in _out_of_reach(stage)}
    assert found == {"refusal": 133}
    stage.write(toml, case_lines(60, cluster="one conversation"))
    clustered = {one.metric: (one.needs, one.cases) for one in _out_of_reach(stage)}
    assert clustered == {"accuracy": (59, 1), "refusal": (149, 1), "latency": (30, 1)}
    result = stage.gate(ready("new"), ready("old"))
    assert result.verdict == "inconclusive"


def _out_of_reach(stage: Stage) -> list[OutOfReach]:
    evaluators = load_evaluators(stage.suite, schema_declared=False).evaluators
    return out_of_reach(stage.suite, evaluators, {})
