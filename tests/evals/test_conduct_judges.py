"""Experiments whose evaluators ask a model, or compare two answers."""

from collections import Counter
from pathlib import Path

import pytest

from evals.stage import RIGHT, Stage, cases, evaluator, figure, marks, on_stage, suite, unmeasured
from trimtab.datasets.case import Case
from trimtab.datasets.suite import GatePolicy, Suite
from trimtab.evals.conduct import Conduct
from trimtab.evals.evaluator import Ask, AskRequest, Sample, Score, measured
from trimtab.evals.registry import SuiteEvaluator
from trimtab.testing import Behaviour


async def judges(sample: Sample, ask: Ask) -> Score:
    request = AskRequest(model="judge", messages=[{"role": "user", "content": sample.case.id}])
    reply = await ask(request)
    return Score(
        status="measured",
        value=float(reply.text == "right"),
        cost_nanousd=reply.cost_nanousd,
        judge_model=reply.served_model,
    )


def judge() -> SuiteEvaluator:
    return evaluator(judges, "tone", "score", asks=True)


def asked_of(on: Stage, model: str) -> int:
    return sum(call.model == f"fault:{model}" for call in on.provider.calls)


def test_a_judge_is_asked_once_for_each_row_and_paid_for(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:judge", RIGHT)
        order = on.order(suite(project_folder, cases(6)), [evaluator(), judge()])
        result = await on.conduct(order)
        assert figure(result, "tone") == 1.0
        assert asked_of(on, "judge") == 6
        of_judge = [mark for mark in marks(on, order) if mark.metric == "tone"]
        assert {mark.judge_model for mark in of_judge} == {"fault:judge"}
        assert result.judge_nanousd == sum(mark.cost_nanousd for mark in of_judge) > 0
        rows = on.store.rows(order.candidate.setup.hash)
        answers_nanousd = sum(row.cost_nanousd for row in rows)
        assert result.spent_nanousd == answers_nanousd + result.judge_nanousd
        again = await on.conduct(order)
        assert (asked_of(on, "judge"), again.spent_nanousd) == (6, 0)

    on_stage(project_folder, act)


def test_a_judge_that_is_busy_is_asked_later(project_folder: Path):
    async def act(on: Stage) -> None:
        busy = Behaviour(status=429, headers={"retry-after": "0"}, times=5)
        on.provider.play("fault:judge", RIGHT, busy, RIGHT)
        result = await on.conduct(on.order(suite(project_folder, cases(6)), [judge()]))
        assert (figure(result, "tone"), unmeasured(result, "tone")) == (1.0, 0)
        assert asked_of(on, "judge") == 11

    on_stage(project_folder, act)


def test_a_judge_that_fails_is_asked_once_more_in_each_run(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:judge", Behaviour(status=500))
        order = on.order(suite(project_folder, cases(3)), [judge()])
        result = await on.conduct(order)
        assert (figure(result, "tone"), unmeasured(result, "tone")) == (None, 3)
        assert asked_of(on, "judge") == 6
        assert {mark.reason for mark in marks(on, order)} == {
            "tone: The provider answered with status 500 (scripted_fault)."
        }
        on.provider.play("fault:judge", RIGHT)
        again = await on.conduct(order)
        assert (figure(again, "tone"), asked_of(on, "judge")) == (1.0, 9)

    on_stage(project_folder, act)


def test_what_the_budget_does_not_pay_for_is_judged_another_time(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:judge", RIGHT)
        of = suite(project_folder, cases(6), concurrency=1)
        # A row may cost 1.1 million at most, and costs some 30,000; 100,000 of it pay for three.
        first = await on.conduct(on.order(of, [judge()], budget_nanousd=1_150_000))
        assert first.stopped == "budget"
        assert first.spent_nanousd <= 1_150_000
        assert unmeasured(first, "tone") > 0
        second = await on.conduct(on.order(of, [judge()]))
        assert (second.answered, unmeasured(second, "tone")) == (6, 0)
        assert asked_of(on, "main") == 6
        assert asked_of(on, "judge") == 6, "neither is paid for twice"

    on_stage(project_folder, act)


def test_told_to_stop_no_judge_is_asked(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(10), concurrency=1)
        await on.conduct(on.order(of))
        order = on.order(of, [evaluator(), judge()])
        conduct = Conduct(on.lab(), order)
        conduct.stop()
        result = await conduct.carry_out(lambda _progress: None)
        assert result.stopped == "told"
        assert asked_of(on, "judge") == 0
        assert figure(result) == 1.0, "and what costs nothing is marked"

    on_stage(project_folder, act)


def test_an_uncalibrated_judge_gates_nothing(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:judge", RIGHT)
        on.provider.play("fault:other", RIGHT)
        policy = GatePolicy(primary=["accuracy", "tone"], inconclusive="block")
        of = suite(project_folder, cases(60), gate=policy)
        result = await on.conduct(on.gate(of, [evaluator(), judge()]))
        verdicts = {one.metric: one.verdict for one in result.comparisons}
        assert verdicts == {"accuracy": "pass", "tone": "advisory"}
        assert result.verdict == "inconclusive"
        assert "nobody has checked this judge" in " ".join(result.why)

    on_stage(project_folder, act)


# ------------------------------------------------------------ preferences


class Preferring:
    """Prefers the longer text, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str, str]] = []

    def evaluator(self) -> SuiteEvaluator:
        return evaluator(self.says, "preference", "preference")

    async def says(self, sample: Sample, _ask: Ask) -> Score:
        beside = sample.baseline_text
        assert beside is not None
        self.shown.append((sample.case.id, sample.text, beside))
        return measured(float((len(sample.text) > len(beside)) - (len(sample.text) < len(beside))))


def _preferring(folder: Path, of: list[Case]) -> Suite:
    policy = GatePolicy(primary=["preference"], inconclusive="block", looks=1)
    return suite(folder, of, repeats=2, gate=policy)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("a much longer answer", "pass"), ("", "fail"), ("four", "inconclusive")],
)
def test_preferences_see_both_answers_and_decide(project_folder: Path, text: str, verdict: str):
    """A tie everywhere is no proof with 20 cases."""

    async def act(on: Stage) -> None:
        on.provider.play("fault:other", Behaviour(text="even", tokens=1))
        by = Preferring()
        result = await on.conduct(on.gate(_preferring(project_folder, cases(20)), [by.evaluator()]))
        assert Counter(by.shown) == {(f"c{at}", text, "even"): 2 for at in range(20)}
        assert result.verdict == verdict, result.why
        assert result.dropped_share == 0

    on_stage(project_folder, act, Behaviour(text=text, tokens=1))


def test_a_preference_needs_both_answers(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play(
            "fault:other", Behaviour(text="even", tokens=1, times=10), Behaviour(status=400)
        )
        by = Preferring()
        of = _preferring(project_folder, cases(10))
        order = on.gate(of, [by.evaluator()])
        result = await on.conduct(order)
        assert len(by.shown) == len(marks(on, order)) == 10
        assert result.verdict == "inconclusive"
        assert "preference: 50.0% of the planned rows were not measured" in " ".join(result.why)
        on.provider.play("fault:other", Behaviour(text="even", tokens=1))
        again = await on.conduct(order)
        assert len(by.shown) == 20, "those that were there are not compared again"
        assert again.verdict == "pass"

    on_stage(project_folder, act, Behaviour(text="longer than the other", tokens=1))


def test_preferences_are_made_anew_when_the_baselines_model_changes(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:other", Behaviour(text="even", tokens=1, served_model="m-old"))
        by = Preferring()
        of = _preferring(project_folder, cases(10))
        first = await on.conduct(on.gate(of, [by.evaluator()]))
        assert first.verdict == "pass"
        changed = Behaviour(text="a very, very long text", tokens=1, served_model="m-new")
        on.provider.play("fault:other", changed)
        second = await on.conduct(on.gate(of, [by.evaluator()], repeats=3))
        assert {beside for _, _, beside in by.shown[20:]} == {"a very, very long text"}
        assert len(by.shown) == 20 + 30
        assert second.verdict == "fail"

    on_stage(project_folder, act, Behaviour(text="of some length", tokens=1))
