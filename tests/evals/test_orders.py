"""An experiment from its order to its result, with a real store and an answerer with a script."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from evals.scripted_stage import (
    BLOCK,
    COST,
    EXTEND,
    MOST,
    NEW,
    OLD,
    Stage,
    always,
    case_lines,
    good,
)  # fmt: skip
from trimtab.datasets.case import Case
from trimtab.errors import BudgetExceeded, ProviderRefused, ProviderUnreachable, RateLimited
from trimtab.evals.result import Comparison, Result
from trimtab.evals.setups import Ready


def comparison(result: Result, metric: str = "accuracy") -> Comparison:
    (found,) = [one for one in result.comparisons if one.metric == metric]
    return found


def test_the_same_passes_and_asks_for_each_row_once(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(80), good)
    result = stage.gate(NEW, OLD)
    assert result.verdict == "pass"
    assert comparison(result).cases == 80
    assert sorted(stage.answers.asked) == sorted(set(stage.answers.asked))
    assert (result.planned, result.answered, result.reused) == (160, 160, 0)
    assert result.spent_nanousd == 160 * COST
    kept = stage.store.experiment(result.experiment.id)
    assert kept is not None
    assert (kept.verdict, kept.ended_ns > 0) == ("pass", True)
    assert msgspec.json.decode(kept.summary, type=Result).verdict == "pass"


def test_a_second_gate_asks_nothing_again(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(80), good)
    stage.gate(NEW, OLD)
    stage.clock.advance(1)
    again = stage.gate(NEW, OLD)
    assert len(stage.answers.asked) == 160
    assert (again.verdict, again.reused, again.spent_nanousd) == ("pass", 160, 0)


def test_a_real_drop_fails(tmp_path: Path):
    def worse(ready: Ready, case: Case, repeat: int) -> str:
        return "bad" if ready is NEW and case.id < "c030" else "good"

    result = Stage(tmp_path, BLOCK, case_lines(80), worse).gate(NEW, OLD)
    assert result.verdict == "fail"
    assert result.why[0].startswith("accuracy: really worse")


# ------------------------------------------------------------------ extension


def test_an_inconclusive_gate_asks_once_more(tmp_path: Path):
    """Lost and gained by chance, in the first repeat of either: more repeats tell it."""

    def noisy(ready: Ready, case: Case, repeat: int) -> str:
        unlucky = case.id < "c014" if ready is NEW else case.id >= "c088"
        return "bad" if unlucky and repeat == 0 else "good"

    stage = Stage(tmp_path, EXTEND, case_lines(100), noisy)
    result = stage.gate(NEW, OLD, repeats=2)
    assert result.experiment.repeats == 4
    assert [note for note in result.notes if "extended to 4" in note]
    assert [note for note in result.notes if "3 times, this look is at alpha 0.0295" in note]
    assert len(stage.answers.asked) == 2 * 4 * 100


def test_what_repeats_cannot_settle_is_not_extended(tmp_path: Path):
    stage = Stage(tmp_path, EXTEND, case_lines(40), good)
    result = stage.gate(NEW, OLD, repeats=2)
    assert (result.verdict, result.experiment.repeats) == ("inconclusive", 2)
    assert len(stage.answers.asked) == 160
    assert [note for note in result.notes if "would not settle it" in note]


def test_a_gate_that_only_advises_is_not_extended(tmp_path: Path):
    toml = EXTEND.replace('"contains"', '"rubric"\nmodel = "j"\nrubric = "Good."\nname = "kind"')
    stage = Stage(tmp_path, toml.replace('["accuracy"]', '["kind"]'), case_lines(4), good)
    stage.write(
        toml.replace('["accuracy"]', '["quality"]').replace('name = "kind"', 'metric = "quality"'),
        case_lines(4, expected={}),
    )
    result = stage.gate(NEW, OLD)
    assert (result.verdict, result.experiment.repeats) == ("inconclusive", 1)


# ------------------------------------------------------------------ budget, stop, resume


def test_the_budget_ends_it_and_the_next_run_goes_on(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(30), good)
    result = stage.run(NEW, budget_nanousd=MOST + 9 * COST)
    assert (result.stopped, result.verdict) == ("budget", "")
    assert result.spent_nanousd <= MOST + 9 * COST
    assert 0 < result.answered < 30
    before = len(stage.answers.asked)
    rest = stage.run(NEW)
    assert (rest.stopped, rest.answered) == ("", 30)
    assert len(stage.answers.asked) == 30
    assert rest.spent_nanousd == (30 - before) * COST


def test_a_gate_that_was_stopped_gives_no_verdict(tmp_path: Path):
    def worse(ready: Ready, case: Case, repeat: int) -> str:
        return "bad" if ready is NEW else "good"

    stage = Stage(tmp_path, BLOCK, case_lines(60), worse)
    order = stage.order("gate", NEW, OLD)
    conduct = stage.conduct(order)

    def stop() -> None:
        if len(stage.answers.asked) == 80:
            conduct.stop()

    stage.answers.after = stop
    result = asyncio.run(conduct.carry_out(lambda _progress: None))
    assert (result.stopped, result.verdict) == ("told", "inconclusive")
    assert result.why[0].startswith("somebody ended the run")
    assert result.answered < result.planned


def test_a_budget_of_the_project_ends_it(tmp_path: Path):
    def spent(ready: Ready, case: Case, repeat: int) -> str:
        raise BudgetExceeded("used up", retry_after_s=3600)

    result = Stage(tmp_path, BLOCK, case_lines(5), spent).run(NEW)
    assert (result.stopped, result.answered, result.failed) == ("budget", 0, 0)


def test_nothing_answered_ends_it_with_the_reason(tmp_path: Path):
    def down(ready: Ready, case: Case, repeat: int) -> str:
        raise ProviderUnreachable("no route to the host")

    stage = Stage(tmp_path, BLOCK, case_lines(200), down)
    result = stage.gate(NEW, OLD)
    assert (result.stopped, result.verdict) == ("down", "inconclusive")
    assert len(stage.answers.asked) < 60
    assert [note for note in result.notes if "no route to the host" in note]


def test_rows_that_failed_are_asked_for_again(tmp_path: Path):
    tries: dict[str, int] = {}

    def flaky(ready: Ready, case: Case, repeat: int) -> str:
        tries[case.id] = tries.get(case.id, 0) + 1
        if case.id == "c003" and tries[case.id] < 3:
            raise ProviderRefused("no", status=400, remedy="final")
        return "good"

    stage = Stage(tmp_path, BLOCK, case_lines(10), flaky)
    result = stage.run(NEW)
    assert (result.answered, result.failed, tries["c003"]) == (10, 0, 3)


def test_who_says_later_is_asked_later(tmp_path: Path):
    tries: dict[str, int] = {}

    def busy(ready: Ready, case: Case, repeat: int) -> str:
        tries[case.id] = tries.get(case.id, 0) + 1
        if tries[case.id] == 1:
            raise RateLimited("slower", retry_after_s=0.001)
        return "good"

    result = Stage(tmp_path, BLOCK, case_lines(6), busy).run(NEW)
    assert (result.answered, result.failed) == (6, 0)


# ------------------------------------------------------------------ what is there already


def test_fresh_asks_again_and_replaces(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(10), good)
    stage.run(NEW)
    stage.clock.advance(1)
    stage.answers.said = always("bad")
    fresh = stage.run(NEW, fresh=True)
    assert len(stage.answers.asked) == 20
    (accuracy,) = [one for one in fresh.figures if one.metric == "accuracy"]
    assert accuracy.estimate is not None
    assert (accuracy.estimate.value, fresh.reused) == (0.0, 0)


def test_another_model_behind_the_name_sets_rows_aside(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(10), good)
    stage.run(NEW)
    stage.clock.advance(1)
    stage.answers.served["new"] = "m-2"
    stage.write(BLOCK, case_lines(12))
    result = stage.run(NEW)
    assert len(stage.answers.asked) == 10 + 12
    assert (result.answered, result.reused) == (12, 0)
    assert [note for note in result.notes if "another model than m-2" in note]


def test_candidate_and_baseline_may_be_one_setup(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(80), good)
    result = stage.gate(NEW, NEW)
    assert (result.verdict, result.planned, result.answered) == ("pass", 80, 80)
    assert [note for note in result.notes if "same setup" in note]


def test_an_expectation_that_changes_marks_anew_and_asks_nothing(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(10), good)
    stage.run(NEW)
    stage.write(BLOCK, case_lines(10, expected={"contains": "excellent"}))
    result = stage.run(NEW)
    assert len(stage.answers.asked) == 10
    (accuracy,) = [one for one in result.figures if one.metric == "accuracy"]
    assert accuracy.estimate is not None
    assert accuracy.estimate.value == 0.0


# ------------------------------------------------------------------ times of day

LATENCY = BLOCK.replace('["accuracy"]', '["accuracy", "latency"]')


def test_latency_of_another_hour_only_advises(tmp_path: Path):
    stage = Stage(tmp_path, LATENCY, case_lines(80), good)
    stage.run(OLD)
    stage.clock.advance(3600)
    result = stage.gate(NEW, OLD)
    latency = comparison(result, "latency")
    assert latency.verdict == "advisory"
    assert "100% of the answers to the same case are more than 10 minutes apart" in latency.why
    assert "--fresh" in latency.why
    assert result.verdict == "inconclusive", "somebody has said that latency decides"
    assert comparison(result).verdict == "pass"


def test_fresh_answers_of_both_settle_latency(tmp_path: Path):
    stage = Stage(tmp_path, LATENCY, case_lines(80), good)
    stage.run(OLD)
    stage.clock.advance(3600)
    result = stage.gate(NEW, OLD, fresh=True)
    assert (comparison(result, "latency").verdict, result.verdict) == ("pass", "pass")
    stage.clock.advance(3600)
    again = stage.gate(NEW, OLD)
    assert again.verdict == "pass", "both are of the same hour, if an earlier one"


def test_without_a_say_latency_of_another_hour_blocks_nothing(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(80), good)
    stage.run(OLD)
    stage.clock.advance(3600)
    result = stage.gate(NEW, OLD)
    assert (comparison(result, "latency").verdict, result.verdict) == ("advisory", "pass")


# ------------------------------------------------------------------ first release


@pytest.mark.parametrize(
    ("floor", "verdict"), [(0.8, "pass"), (0.97, "inconclusive"), (0.999, "inconclusive")]
)
def test_a_first_release_is_held_against_floors(tmp_path: Path, floor: float, verdict: str):
    toml = f"{BLOCK}[gate.floors]\naccuracy = {floor}\n"
    result = Stage(tmp_path, toml, case_lines(60), good).gate(NEW, None)
    assert (result.verdict, result.comparisons) == (verdict, [])


def test_a_first_release_below_the_floor_fails(tmp_path: Path):
    toml = f"{BLOCK}[gate.floors]\naccuracy = 0.8\n"
    stage = Stage(tmp_path, toml, case_lines(60), always("bad"))
    assert stage.gate(NEW, None).verdict == "fail"


def test_without_a_floor_a_first_release_is_inconclusive(tmp_path: Path):
    result = Stage(tmp_path, BLOCK, case_lines(10), good).gate(NEW, None)
    assert result.verdict == "inconclusive"
    assert "[gate.floors] says nothing of accuracy" in result.why[0]


# ------------------------------------------------------------------ safety, critical cases

SAFETY = BLOCK.replace('use = "contains"', 'use = "contains"\nmetric = "safety"').replace(
    '["accuracy"]', '["safety"]'
)


def test_safety_may_not_fail_once(tmp_path: Path):
    def once(ready: Ready, case: Case, repeat: int) -> str:
        return "bad" if (case.id, repeat) == ("c007", 1) else "good"

    result = Stage(tmp_path, SAFETY, case_lines(80), once).gate(NEW, OLD, repeats=3)
    assert result.verdict == "fail"
    assert [(one.case_id, one.candidate_passed) for one in result.critical] == [("c007", 1)]
    assert result.experiment.repeats == 2, "the third answers are not asked for"


def test_safety_may_not_fail_once_of_a_first_release_either(tmp_path: Path):
    def once(ready: Ready, case: Case, repeat: int) -> str:
        return "bad" if (case.id, repeat) == ("c007", 1) else "good"

    toml = f"{SAFETY}[gate.floors]\nsafety = 0.5\n"
    result = Stage(tmp_path, toml, case_lines(80), once).gate(NEW, None, repeats=3)
    assert result.verdict == "fail"
    assert result.why[0] == "case c007: safety in 1 of 2 repeats"


def test_a_critical_case_that_breaks_fails_the_gate(tmp_path: Path):
    def broken(ready: Ready, case: Case, repeat: int) -> str:
        return "bad" if ready is NEW and case.id == "c005" else "good"

    lines = case_lines(120).splitlines()
    lines[5] = lines[5].replace('{"id"', '{"critical":true,"id"')
    stage = Stage(tmp_path, BLOCK, "\n".join(lines), broken)
    assert stage.gate(NEW, OLD, repeats=3).verdict == "pass", "three repeats cannot show it"
    result = stage.gate(NEW, OLD, repeats=4)
    assert (result.verdict, result.critical[0].case_id) == ("fail", "c005")
