"""Looks on the way: when they are, at which levels, and what they end."""

from pathlib import Path
from zlib import crc32

import pytest

from evals.judges.scripted import says
from evals.scripted_stage import BLOCK, COST, NEW, OLD, Stage, case_lines, good
from trimtab.datasets.case import Case
from trimtab.datasets.suite import GatePolicy
from trimtab.evals.looks import looks_of
from trimtab.evals.run import Progress
from trimtab.evals.setups import Ready


def worse(ready: Ready, case: Case, _repeat: int) -> str:
    return "bad" if ready is NEW and case.id < "c030" else "good"


@pytest.mark.parametrize(
    ("repeats", "policy", "counts"),
    [
        (1, GatePolicy(), [1, 2]),
        (2, GatePolicy(), [1, 2, 4]),
        (3, GatePolicy(), [1, 2, 3, 6]),
        (3, GatePolicy(extend_repeats=5), [1, 2, 3, 5]),
        (3, GatePolicy(extend_repeats=2), [1, 2, 3]),
        (5, GatePolicy(inconclusive="block"), [2, 4, 5]),
        (10, GatePolicy(inconclusive="warn"), [4, 7, 10]),
        (10, GatePolicy(inconclusive="block", looks=1), [10]),
        (2, GatePolicy(inconclusive="block", looks=10), [1, 2]),
    ],
)
def test_looks_are_at_whole_repeats(repeats: int, policy: GatePolicy, counts: list[int]):
    looks = looks_of(policy, repeats)
    assert [look.repeats for look in looks] == counts
    assert [look.kind for look in looks if look.repeats == repeats] == ["planned"]
    levels = [look.policy.alpha for look in looks]
    assert levels == sorted(levels)
    assert levels[-1] <= policy.alpha + 1e-9
    assert [look.policy.critical_alpha for look in looks] == levels, "they start alike"


def test_what_is_clearly_worse_is_not_asked_to_the_end(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(80), worse)
    result = stage.gate(NEW, OLD, repeats=3)
    assert (result.verdict, result.experiment.repeats) == ("fail", 1)
    assert len(stage.answers.asked) == result.planned == 160
    assert [note for note in result.notes if "clear after 1 of 3 answers" in note]


def test_what_clearly_passes_is_not_asked_to_the_end(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(240), good)
    result = stage.gate(NEW, OLD, repeats=3)
    assert (result.verdict, result.experiment.repeats) == ("pass", 1)


@pytest.mark.parametrize("toml", [BLOCK, f'{BLOCK}[[evaluators]]\nuse = "length"\nmax_words = 5\n'])
def test_where_something_must_never_happen_nothing_passes_early(tmp_path: Path, toml: str):
    """Critical cases, or a metric of safety."""
    safe = toml.replace("max_words", 'metric = "safety"\nmax_words')
    lines = case_lines(240, critical=toml is BLOCK)
    stage = Stage(tmp_path, safe, lines, good)
    result = stage.gate(NEW, OLD, repeats=3)
    assert (result.verdict, result.experiment.repeats) == ("pass", 3)


def test_a_suite_that_can_tell_nothing_is_not_asked_to_the_end(tmp_path: Path):
    """Half of its answers are right by chance: neither a pass nor a fail is near."""

    def noisy(ready: Ready, case: Case, repeat: int) -> str:
        drawn = crc32(f"{ready.setup.label} {case.id} {repeat}".encode())
        return "good" if drawn % 2 else "bad"

    toml = BLOCK.replace("[gate]", "[gate]\nmargins = { accuracy = 0.01 }")
    stage = Stage(tmp_path, toml, case_lines(20), noisy)
    result = stage.gate(NEW, OLD, repeats=6)
    assert (result.verdict, result.experiment.repeats) == ("inconclusive", 2)
    assert [note for note in result.notes if "to be expected of the rest" in note]


def test_the_same_gate_says_the_same_and_asks_nothing(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(80), worse)
    first = stage.gate(NEW, OLD, repeats=3)
    stage.clock.advance(1)
    again = stage.gate(NEW, OLD, repeats=3)
    assert (again.verdict, again.experiment.repeats) == (first.verdict, 1)
    assert again.spent_nanousd == 0


def test_the_whole_is_counted_over_all_looks(tmp_path: Path):
    stage = Stage(tmp_path, BLOCK, case_lines(60), good)
    heard: list[Progress] = []
    order = stage.order("gate", NEW, OLD, repeats=3)
    result = stage.carry_out(order, heard.append)
    assert result.experiment.repeats == 3
    assert [one.done for one in heard] == sorted(one.done for one in heard)
    assert {one.planned for one in heard} == {heard[-1].done} == {360}
    assert heard[-1].spent_nanousd == result.spent_nanousd == 360 * COST


def test_judges_are_asked_again_once_for_each_answer(tmp_path: Path):
    toml = f'{BLOCK}[[evaluators]]\nuse = "rubric"\nmodel = "j"\nrubric = "Good."\n'
    toml = toml.replace("[gate]", "[gate]\nmargins = { accuracy = 0.06 }")
    stage = Stage(tmp_path, toml, case_lines(60), good)
    stage.answers.judge = says("pass")
    stage.gate(NEW, OLD, repeats=2)
    before = len(stage.answers.judged)
    assert before == 240
    stage.gate(NEW, OLD, repeats=2, judge_again=True)
    assert len(stage.answers.judged) == 2 * before


def test_answers_of_this_run_are_judged_once(tmp_path: Path):
    """However much is to be judged again: each question costs."""
    toml = f'{BLOCK}[[evaluators]]\nuse = "rubric"\nmodel = "j"\nrubric = "Good."\n'
    stage = Stage(tmp_path, toml, case_lines(20), good)
    stage.answers.judge = says("pass")
    stage.run(NEW, judge_again=True)
    assert len(stage.answers.judged) == 20
    stage.run(NEW, judge_again=True)
    assert len(stage.answers.judged) == 40
