"""Experiments through the real gateway: resumed, throttled, changed under way, out of budget."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from evals.stage import (
    RIGHT,
    WRONG,
    Stage,
    cases,
    evaluator,
    figure,
    marks,
    on_stage,
    suite,
    unmeasured,
)
from harness import wait_until
from trimtab.datasets.suite import GatePolicy
from trimtab.evals.conduct import Conduct
from trimtab.evals.evaluator import Ask, Sample, Score, measured
from trimtab.evals.registry import SuiteEvaluator
from trimtab.evals.run import Progress
from trimtab.evals.setups import Wish
from trimtab.store.records import EventQuery
from trimtab.testing import Behaviour

NO_EXTENSION = GatePolicy(inconclusive="block")


def test_a_run_from_its_order_to_its_result(project_folder: Path):
    async def act(on: Stage) -> None:
        order = on.order(suite(project_folder, cases(6), repeats=2), id="exp_mine")
        result = await on.conduct(order)
        assert (result.verdict, result.stopped) == ("", "")
        assert (result.planned, result.answered, result.failed, result.reused) == (12, 12, 0, 0)
        assert figure(result) == 1.0
        assert len(result.cases) == result.cases_total == 6
        assert result.cases[0].candidate.texts == ["right", "right"]
        assert Counter(on.contents()) == {f"question {at}": 2 for at in range(6)}
        rows = list(on.store.rows(order.candidate.setup.hash))
        assert sum(row.cost_nanousd for row in rows) == result.spent_nanousd > 0
        assert all(row.latency_us > 0 and row.output_tokens == 1 for row in rows)
        kept = on.store.experiment("exp_mine")
        assert kept is not None
        assert kept.ended_ns > kept.started_ns > 0
        assert kept.summary
        query = EventQuery(since_ns=0, until_ns=1 << 62)
        page = on.app.reader.event_page
        await asyncio.to_thread(wait_until, lambda: len(page(query).events) == 12)
        events = {event.inference_id: event for event in page(query).events}
        assert {(one.team, one.session) for one in events.values()} == {("evals", "exp_mine")}
        assert events.keys() == {row.inference_id for row in rows}, "each row is in the ledger"

    on_stage(project_folder, act)


def test_a_run_goes_on_where_it_was(project_folder: Path):
    async def act(on: Stage) -> None:
        order = on.order(suite(project_folder, cases(20), repeats=2, concurrency=3))
        conduct = Conduct(on.lab(), order)

        def stop(progress: Progress) -> None:
            if progress.done >= 15:
                conduct.stop()

        first = await conduct.carry_out(stop)
        assert first.stopped == "told"
        assert 15 <= first.answered <= 20
        assert first.answered == len(on.provider.calls)
        assert "run it again to go on" in " ".join(first.notes)
        second = await on.conduct(on.order(order.suite, id="exp_2"))
        assert (second.answered, second.reused) == (40, first.answered)
        assert second.spent_nanousd < first.spent_nanousd + second.spent_nanousd
        third = await on.conduct(on.order(order.suite, id="exp_3"))
        assert (third.reused, third.spent_nanousd) == (40, 0)
        assert len(on.provider.calls) == 40
        assert figure(third) == figure(second) == 1.0

    on_stage(project_folder, act)


def test_a_model_that_changes_behind_the_same_name(project_folder: Path):
    """What the old one said is set aside, told of, and asked again."""

    async def act(on: Stage) -> None:
        order = on.order(suite(project_folder, cases(10), concurrency=1))
        result = await on.conduct(order)
        assert (result.answered, result.failed) == (10, 0)
        assert figure(result) == 0.0, "nothing of the old one is in it"
        assert len(on.provider.calls) == 10 + 4
        assert "4 rows of the candidate were answered by another model" in " ".join(result.notes)
        heads = on.store.row_heads(order.candidate.setup.hash)
        assert Counter(head.served_model for head in heads) == {"m-old": 4, "m-new": 10}

    old = Behaviour(text="right", tokens=1, served_model="m-old", times=4)
    new = Behaviour(text="wrong", tokens=1, served_model="m-new")
    on_stage(project_folder, act, old, new)


def test_a_change_is_seen_by_the_next_run_that_asks(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(5))
        await on.conduct(on.order(of))
        on.provider.play("fault:main", Behaviour(text="wrong", tokens=1, served_model="m-new"))
        unseen = await on.conduct(on.order(of))
        assert (figure(unseen), unseen.reused) == (1.0, 5)
        seen = await on.conduct(on.order(of, repeats=2))
        assert (figure(seen), seen.reused, seen.answered) == (0.0, 0, 10)
        assert len(on.provider.calls) == 5 + 10

    on_stage(project_folder, act, Behaviour(text="right", tokens=1, served_model="m-old"))


def test_two_models_behind_one_name_come_to_an_end(project_folder: Path):
    """The provider answers with one or the other: no figure is of both, and no run is endless."""

    async def act(on: Stage) -> None:
        on.provider.play("fault:other", RIGHT)
        of = suite(project_folder, cases(30), concurrency=1, gate=NO_EXTENSION)
        result = await on.conduct(on.gate(of))
        assert result.verdict == "inconclusive"
        assert "8 rows lack on the candidate's side alone" in result.why[0]
        asked = sum(call.model == "fault:main" for call in on.provider.calls)
        assert asked <= 30 * 3

    one = Behaviour(text="right", tokens=1, served_model="m-one")
    two = Behaviour(text="right", tokens=1, served_model="m-two")
    on_stage(project_folder, act, *(one, two) * 200)


def test_errors_are_rows_and_are_asked_again(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(8), concurrency=2)
        result = await on.conduct(on.order(of))
        assert (result.answered, result.failed) == (8, 0)
        assert len(on.provider.calls) == 8 + 6
        again = await on.conduct(on.order(of))
        assert len(on.provider.calls) == 14
        assert (again.answered, again.reused) == (8, 8)

    on_stage(project_folder, act, RIGHT, Behaviour(status=500, times=6), RIGHT)


def test_what_fails_for_good_is_shown_and_does_not_end_the_run(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(60), concurrency=1)
        order = on.order(of)
        result = await on.conduct(order)
        assert (result.stopped, result.answered, result.failed) == ("", 30, 30)
        assert unmeasured(result) == 30
        assert figure(result) == 1.0, "an error is no zero"
        errors = [row for row in on.store.rows(order.candidate.setup.hash) if row.status == "error"]
        assert {(row.error_code, row.text) for row in errors} == {("provider_refused", "")}
        shown = [case for case in result.cases if case.candidate.errors]
        assert len(shown) == 30

    bad = Behaviour(status=400)
    on_stage(project_folder, act, *(RIGHT, bad) * 30, bad)


def test_a_provider_that_is_down_ends_the_run_and_the_next_one_goes_on(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:other", RIGHT)
        of = suite(project_folder, cases(40), concurrency=1, gate=NO_EXTENSION)
        first = await on.conduct(on.order(of))
        assert first.stopped == "down"
        assert first.answered == 5
        on.provider.play("fault:main", RIGHT)
        second = await on.conduct(on.gate(of))
        assert (second.stopped, second.answered, second.reused) == ("", 80, 5)

    on_stage(project_folder, act, *[RIGHT] * 5, Behaviour(status=500))


# ------------------------------------------------------------ evaluators


async def raises(sample: Sample, _ask: Ask) -> Score:
    if sample.case.id == "c0":
        raise KeyError("a defect that would quote the answer")
    return measured(1)


def test_an_evaluator_that_raises_leaves_its_mark_unmeasured(project_folder: Path):
    async def act(on: Stage) -> None:
        by = [evaluator(raises), evaluator(metric="format")]
        order = on.order(suite(project_folder, cases(4)), by)
        result = await on.conduct(order)
        assert (figure(result), unmeasured(result)) == (1.0, 1)
        assert (figure(result, "format"), unmeasured(result, "format")) == (1.0, 0)
        (bad,) = [mark for mark in marks(on, order) if mark.status == "unmeasured"]
        assert bad.reason == "accuracy failed with KeyError.", "and quotes nothing"
        (shown,) = [case for case in result.cases if case.case_id == "c0"]
        assert shown.candidate.reasons["accuracy"] == [bad.reason]

    on_stage(project_folder, act)


def _fixed(said: object) -> SuiteEvaluator:
    async def says(_sample: Sample, _ask: Ask) -> Score:
        return said  # pyright: ignore[reportReturnType] - what others write may be anything

    return evaluator(says)


@pytest.mark.parametrize(
    "said",
    [
        None,
        0.5,
        measured(0.5),
        measured(2),
        measured(float("nan")),
        Score(status="measured"),
        Score(status="perfect"),  # pyright: ignore[reportArgumentType]
        Score(status="measured", value="1"),  # pyright: ignore[reportArgumentType]
    ],
    ids=repr,
)
def test_what_is_no_rate_is_unmeasured(project_folder: Path, said: object):
    async def act(on: Stage) -> None:
        order = on.order(suite(project_folder, cases(2)), [_fixed(said)])
        result = await on.conduct(order)
        assert (figure(result), unmeasured(result)) == (None, 2)
        assert all(mark.reason for mark in marks(on, order))

    on_stage(project_folder, act)


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_what_is_no_amount_is_unmeasured(project_folder: Path, value: float):
    async def says(_sample: Sample, _ask: Ask) -> Score:
        return measured(value)

    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(3), gate=GatePolicy(primary=["size"]))
        by = evaluator(says, "size", "amount", higher_is_better=False)
        result = await on.conduct(on.gate(of, [by]))
        assert result.verdict == "inconclusive"
        assert unmeasured(result, "size") == 3

    on_stage(project_folder, act)


def test_words_that_cannot_be_written_are_mended(project_folder: Path):
    async def says(_sample: Sample, _ask: Ask) -> Score:
        return measured(1, "half \ud800", "x" * 10_000 + "\udfff")

    async def act(on: Stage) -> None:
        order = on.order(suite(project_folder, cases(1)), [evaluator(says)])
        await on.conduct(order)
        (mark,) = marks(on, order)
        assert mark.label == "half ?"
        assert len(mark.reason) == 500

    on_stage(project_folder, act)


def test_changed_expectations_mark_kept_answers_anew(project_folder: Path):
    async def says(sample: Sample, _ask: Ask) -> Score:
        return measured(float(sample.text == sample.case.expected.get("answer")))

    async def act(on: Stage) -> None:
        by = [evaluator(says)]
        first = await on.conduct(
            on.order(suite(project_folder, cases(5, expected={"answer": "wrong"})), by)
        )
        second = await on.conduct(
            on.order(suite(project_folder, cases(5, expected={"answer": "right"})), by)
        )
        assert (figure(first), figure(second)) == (0.0, 1.0)
        assert (second.reused, len(on.provider.calls)) == (5, 5)

    on_stage(project_folder, act)


# ------------------------------------------------------------ gates


def test_gates_pass_and_fail(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(60), gate=NO_EXTENSION)
        on.provider.play("fault:other", RIGHT)
        passed = await on.conduct(on.gate(of))
        assert (passed.verdict, passed.stopped) == ("pass", "")
        assert passed.planned == passed.answered == 120
        on.provider.play("fault:judge", WRONG)
        worse = await on.conduct(on.gate(of, candidate=on.ready(of, Wish(model="judge"))))
        assert worse.verdict == "fail"
        assert worse.why[0].startswith("accuracy: really worse")
        assert worse.reused == 60, "the baseline's"
        kept = on.store.experiment("exp_1")
        assert kept is not None
        assert kept.verdict == "fail"

    on_stage(project_folder, act)


def test_a_budget_that_ends_a_gate_leaves_it_inconclusive_whatever_it_saw(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:other", RIGHT)
        of = suite(project_folder, cases(60), gate=NO_EXTENSION)
        order = on.gate(of, budget_nanousd=3_500_000)
        result = await on.conduct(order)
        assert (result.stopped, result.verdict) == ("budget", "inconclusive")
        assert result.why[0] == "the budget ended the run before all rows were there"
        assert 40 < result.answered < 120
        assert result.spent_nanousd <= 3_500_000
        assert figure(result) == 0.0, "worse on each case that it saw"
        whole = await on.conduct(on.gate(of))
        assert (whole.verdict, whole.reused) == ("fail", result.answered)
        assert len(on.provider.calls) == 120, "nothing is paid for twice"

    on_stage(project_folder, act, WRONG)


def test_a_gate_that_cannot_tell_asks_once_more(project_folder: Path):
    async def act(on: Stage) -> None:
        on.provider.play("fault:other", *(RIGHT, RIGHT, WRONG) * 200)
        policy = GatePolicy(margins={"accuracy": 0.1})
        of = suite(project_folder, cases(40), repeats=2, concurrency=1, gate=policy)
        result = await on.conduct(on.gate(of))
        assert result.experiment.repeats == 4
        assert (result.planned, result.answered) == (320, 320)
        assert "extended to 4" in " ".join(result.notes)
        assert "alpha 0.0" in " ".join(result.notes)

    on_stage(project_folder, act, *(RIGHT, WRONG, RIGHT) * 200)


def test_a_gate_of_a_setup_with_itself(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(60), gate=NO_EXTENSION)
        result = await on.conduct(on.gate(of, baseline=on.ready(of)))
        assert (result.planned, result.answered, len(on.provider.calls)) == (60, 60, 60)
        assert "same setup" in " ".join(result.notes)

    on_stage(project_folder, act, *(RIGHT, WRONG) * 60)


def test_fresh_answers_take_the_place_of_old_ones(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(5))
        first = await on.conduct(on.order(of))
        on.provider.play("fault:main", WRONG)
        second = await on.conduct(on.order(of, fresh=True))
        third = await on.conduct(on.order(of))
        assert [figure(one) for one in (first, second, third)] == [1.0, 0.0, 0.0]
        assert [one.reused for one in (first, second, third)] == [0, 0, 5]
        assert len(on.provider.calls) == 10

    on_stage(project_folder, act)


def test_two_runs_at_once_agree_on_one_answer_for_each_row(project_folder: Path):
    """Each marks the text that is kept, whichever of them brought it."""

    async def says(sample: Sample, _ask: Ask) -> Score:
        return measured(float(len(sample.text)), reason=sample.text)

    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(20), concurrency=5)
        by = [evaluator(says, "size", "amount")]
        one, two = on.order(of, by, id="exp_1"), on.order(of, by, id="exp_2")
        async with asyncio.TaskGroup() as group:
            results = [group.create_task(on.conduct(order)) for order in (one, two)]
        assert [task.result().answered for task in results] == [20, 20]
        rows = list(on.store.rows(one.candidate.setup.hash))
        assert len(rows) == 20
        said = {mark.case_hash: mark.reason for mark in marks(on, one)}
        assert said == {row.case_hash: row.text for row in rows}
        assert 20 < len(on.provider.calls) <= 40

    texts = [Behaviour(text="x" * (at + 1), tokens=1) for at in range(40)]
    on_stage(project_folder, act, *texts)
