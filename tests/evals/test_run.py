"""Rows: which are asked for and in which order, what throttles a run, and what ends it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from evals.stage import RIGHT, Stage, cases, on_stage, suite
from trimtab.datasets.case import Case, case_hash
from trimtab.datasets.suite import Suite
from trimtab.errors import BudgetExceeded, StoreError
from trimtab.evals.allowance import Allowance
from trimtab.evals.answering import GatewayAnswerer
from trimtab.evals.evaluator import AskReply, AskRequest
from trimtab.evals.keeper import Keeper
from trimtab.evals.pace import Pace
from trimtab.evals.run import Planned, RowRun, plan_rows
from trimtab.evals.setups import Ready
from trimtab.store.protocol import Experiments
from trimtab.store.sqlite import open_experiments
from trimtab.testing import Behaviour
from trimtab.types.clock import SystemClock
from trimtab.types.experiments import Row, Setup

CLOCK = SystemClock()


def ready(name: str = "one") -> Ready:
    setup = Setup(prompt="", prompt_hash="", label=name, model=f"one:{name}", hash=name)
    return Ready(setup, None, name)


def row(of: Ready, case: Case, repeat: int = 0, **fields: Any) -> Row:
    values: dict[str, Any] = {"status": "ok", "served_model": "m-1", "at_ns": 1, **fields}
    return Row(
        setup_hash=of.setup.hash,
        case_id=case.id,
        case_hash=case_hash(case),
        repeat=repeat,
        **values,
    )


@pytest.fixture
def store(tmp_path: Path) -> Experiments:
    return open_experiments(tmp_path, CLOCK)


def ids(planned: list[Planned]) -> list[tuple[str, str, int]]:
    return [(one.ready.setup.hash, one.case.id, one.repeat) for one in planned]


# ------------------------------------------------------------ the plan


def test_a_plan_goes_through_all_cases_before_it_repeats_one(store: Experiments, tmp_path: Path):
    of, setups = suite(tmp_path, cases(20)), [ready("new"), ready("old")]
    planned = plan_rows(setups, of, 3, store=store)
    assert len(planned) == len(set(ids(planned))) == 120
    assert [one.repeat for one in planned] == [at // 40 for at in range(120)]
    for first, second in zip(planned[::2], planned[1::2], strict=True):
        assert first.case is second.case, "both setups of a case beside each other"
        assert {first.ready.setup.hash, second.ready.setup.hash} == {"new", "old"}
    firsts = Counter(one.ready.setup.hash for one in planned[::2])
    assert min(firsts.values()) > 15, "neither is always the first"
    orders = [[one.case.id for one in planned[at : at + 40 : 2]] for at in (0, 40, 80)]
    assert orders[0] != orders[1] != orders[2]
    assert orders[0] != [case.id for case in of.cases]


def test_cases_of_a_cluster_follow_each_other_in_random_order(store: Experiments, tmp_path: Path):
    pages = [replace(case, cluster=f"page {at % 5}") for at, case in enumerate(cases(30))]
    planned = plan_rows([ready()], suite(tmp_path, [*pages, *cases(40)[30:]]), 2, store=store)
    for half in (planned[:40], planned[40:]):
        blocks = [key for key, _ in groupby(one.case.cluster or one.case.id for one in half)]
        assert len(blocks) == len(set(blocks)) == 15
        assert blocks != sorted(blocks)
        inside = [one.case.id for one in half if one.case.cluster == "page 0"]
        assert inside != sorted(inside, key=len)


def test_a_plan_is_the_same_for_the_same_files(store: Experiments, tmp_path: Path):
    of = suite(tmp_path, cases(20))
    planned = plan_rows([ready()], of, 2, store=store)
    assert ids(planned) == ids(plan_rows([ready()], of, 2, store=store))
    other = suite(tmp_path, cases(20), hash="badc0ffe")
    assert ids(planned) != ids(plan_rows([ready()], other, 2, store=store))


def test_what_is_there_is_not_asked_for_and_the_rest_keeps_its_order(
    store: Experiments, tmp_path: Path
):
    of, one = suite(tmp_path, cases(20)), ready()
    whole = plan_rows([one], of, 2, store=store)
    there = random.Random(1).sample(whole, 15)
    store.keep([row(one, planned.case, planned.repeat) for planned in there], [])
    store.keep([row(ready("another"), of.cases[0])], [])
    left = plan_rows([one], of, 2, store=store)
    assert ids(left) == [key for key in ids(whole) if key not in set(ids(there))]


def test_errors_are_asked_for_again(store: Experiments, tmp_path: Path):
    of, one = suite(tmp_path, cases(3)), ready()
    store.keep([row(one, of.cases[0], status="error", served_model="")], [])
    store.keep([row(one, of.cases[1])], [])
    assert {one.case.id for one in plan_rows([one], of, 1, store=store)} == {"c0", "c2"}


def test_answers_of_another_model_behind_the_same_name_are_asked_for_again(
    store: Experiments, tmp_path: Path
):
    of, one = suite(tmp_path, cases(4)), ready()
    store.keep([row(one, case, at_ns=at) for at, case in enumerate(of.cases)], [])
    assert plan_rows([one], of, 1, store=store) == []
    store.keep([row(one, of.cases[2], served_model="m-2", at_ns=9)], [])
    again = {planned.case.id for planned in plan_rows([one], of, 1, store=store)}
    assert again == {"c0", "c1", "c3"}
    # A case of another suite tells as well which model serves now.
    elsewhere = Case(id="x", messages=[{"role": "user", "content": "elsewhere"}])
    store.keep([row(one, elsewhere, served_model="m-3", at_ns=10)], [])
    assert len(plan_rows([one], of, 1, store=store)) == 4
    # The first model is back: what it said then is good again.
    store.keep([row(one, of.cases[0], at_ns=11)], [])
    assert plan_rows([one], of, 1, store=store) == []


def test_answers_from_before_may_be_unwanted(store: Experiments, tmp_path: Path):
    of, one = suite(tmp_path, cases(4)), ready()
    store.keep([row(one, case, at_ns=at) for at, case in enumerate(of.cases)], [])
    planned = plan_rows([one], of, 1, store=store, since_ns=2)
    assert {each.case.id for each in planned} == {"c0", "c1"}


def test_cases_that_ask_the_same_share_an_answer(store: Experiments, tmp_path: Path):
    twin = Case(id="twin", messages=cases(1)[0].messages, expected={"answer": "other"})
    of = suite(tmp_path, [*cases(2), twin])
    planned = plan_rows([ready()], of, 2, store=store)
    assert len(planned) == 4
    store.keep([row(each.ready, each.case, each.repeat) for each in planned], [])
    assert plan_rows([ready()], of, 2, store=store) == []


def test_the_same_setup_twice_is_asked_once(store: Experiments, tmp_path: Path):
    of = suite(tmp_path, cases(5))
    assert len(plan_rows([ready(), ready()], of, 2, store=store)) == 10


# ------------------------------------------------------------ a run


class Scripted:
    """An answerer that does as it is told, and knows how many ask it at once."""

    def __init__(
        self, say: Callable[[Case, int], Row | Exception], *, most_nanousd: int = 100
    ) -> None:
        self._say = say
        self._most_nanousd = most_nanousd
        self.asked = Counter[str]()
        self.at_once = self.most_at_once = 0

    async def answer(self, ready: Ready, case: Case, repeat: int) -> Row:
        self.asked[case.id] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            said = self._say(case, repeat)
        finally:
            self.at_once -= 1
        if isinstance(said, Exception):
            raise said
        return said

    async def ask(self, request: AskRequest) -> AskReply:
        raise AssertionError(request)

    def most_nanousd(self, ready: Ready, case: Case) -> int:
        del ready, case
        return self._most_nanousd

    def most_of(self, request: AskRequest) -> int:
        raise AssertionError(request)

    def asked_text(self, ready: Ready, case: Case) -> str:
        raise AssertionError(ready, case)


class Course:
    """A run of rows over a scripted answerer."""

    def __init__(
        self,
        store: Experiments,
        of: Suite,
        answerer: Scripted,
        *,
        limit_nanousd: int | None = None,
        at_once: int = 4,
    ) -> None:
        self.store = store
        self.of = of
        self.seen: list[Row] = []
        self.allowance = Allowance(limit_nanousd)
        keeper = Keeper(store)
        self.run = RowRun(answerer, keeper, self.allowance, at_once=at_once, on_row=self._on_row)

    async def _on_row(self, planned: Planned, row: Row) -> None:
        kept = [head.case_hash for head in self.store.row_heads(planned.ready.setup.hash)]
        assert row.case_hash in kept, "on the disk before it is heard of"
        self.seen.append(row)

    def go(self, repeats: int = 1) -> str:
        planned = plan_rows([ready()], self.of, repeats, store=self.store)
        return asyncio.run(self.run.run(planned))


def test_so_many_at_once_and_no_more(store: Experiments, tmp_path: Path):
    answerer = Scripted(lambda case, repeat: row(ready(), case, repeat))
    course = Course(store, suite(tmp_path, cases(30)), answerer, at_once=7)
    assert course.go(2) == ""
    assert answerer.most_at_once == 7
    assert len(course.seen) == len(store.row_heads("one")) == 60
    assert course.run.progress[:3] == (60, 60, 0)


@pytest.mark.parametrize("seed", range(20))
def test_the_allowance_is_never_passed(store: Experiments, tmp_path: Path, seed: int):
    """Whatever each costs, up to what it may cost at most, and however many are under way."""
    rng = random.Random(seed)

    def say(case: Case, repeat: int) -> Row:
        return row(ready(), case, repeat, cost_nanousd=rng.choice([0, 10, 60, 100]))

    limit = rng.choice([99, 100, 350, 1_234, 4_000])
    course = Course(
        store, suite(tmp_path, cases(60)), Scripted(say), limit_nanousd=limit, at_once=9
    )
    assert course.go(2) == "budget"
    spent = sum(one.cost_nanousd for one in course.seen)
    assert spent == course.allowance.spent_nanousd <= limit
    assert spent > limit - 100, "and what there is is used"


def test_a_row_that_the_allowance_pays_for_is_not_given_up_for_what_others_hold(
    store: Experiments, tmp_path: Path
):
    """Each may cost 100 and costs 1: ten are paid for, one after the other."""
    answerer = Scripted(lambda case, repeat: row(ready(), case, repeat, cost_nanousd=1))
    course = Course(store, suite(tmp_path, cases(10)), answerer, limit_nanousd=109, at_once=8)
    assert course.go() == ""
    assert answerer.most_at_once == 1
    assert course.allowance.spent_nanousd == 10


def test_what_a_failure_costs_counts(store: Experiments, tmp_path: Path):
    def say(case: Case, repeat: int) -> Row:
        return row(ready(), case, repeat, status="error", served_model="", cost_nanousd=100)

    course = Course(store, suite(tmp_path, cases(20)), Scripted(say), limit_nanousd=450)
    assert course.go() == "budget"
    assert course.allowance.spent_nanousd == 400
    assert course.run.progress.failed == 4


def test_a_budget_of_the_project_ends_the_run(store: Experiments, tmp_path: Path):
    left = iter(range(3))

    def say(case: Case, repeat: int) -> Row | Exception:
        if next(left, None) is None:
            return BudgetExceeded("Budget 'evals' is used up.", retry_after_s=60)
        return row(ready(), case, repeat)

    course = Course(store, suite(tmp_path, cases(20)), Scripted(say), at_once=2)
    assert course.go() == "budget"
    assert len(course.seen) == 3
    assert course.run.progress.failed == 0, "it is no error of a row"


def test_told_to_stop_what_is_under_way_is_awaited(store: Experiments, tmp_path: Path):
    of = suite(tmp_path, cases(40))

    def say(case: Case, repeat: int) -> Row:
        if sum(answerer.asked.values()) == 12:
            course.run.stop()
        return row(ready(), case, repeat)

    answerer = Scripted(say)
    course = Course(store, of, answerer, at_once=5)
    assert course.go() == "told"
    asked = sum(answerer.asked.values())
    assert 12 <= asked <= 17
    assert len(course.seen) == len(store.row_heads("one")) == asked, "none of them is lost"
    assert Course(store, of, answerer).go() == ""
    assert set(answerer.asked.values()) == {1}, "and none is asked twice"


def test_a_store_that_fails_ends_the_run(store: Experiments, tmp_path: Path):
    class Full:
        """A disk that is full after the first write."""

        writes = 0

        def keep(self, *given: Any, **named: Any) -> list[Row]:
            self.writes += 1
            if self.writes > 1:
                raise StoreError("The disk is full: free some space.")
            return store.keep(*given, **named)

    answerer = Scripted(lambda case, repeat: row(ready(), case, repeat))

    async def heard(planned: Planned, row: Row) -> None:
        del planned, row

    async def play() -> None:
        keeper = Keeper(Full())  # pyright: ignore[reportArgumentType] - all that it is asked
        run = RowRun(answerer, keeper, Allowance(None), at_once=3, on_row=heard)
        of = suite(tmp_path, cases(30))
        await run.run(plan_rows([ready()], of, 1, store=store))

    with pytest.raises(StoreError, match="free some space"):
        asyncio.run(play())
    assert sum(answerer.asked.values()) < 12, "nothing more is asked for"


# ------------------------------------------------------------ slower, and later


def test_a_pace_halves_once_for_all_that_were_under_way_and_comes_back_slowly():
    async def play() -> None:
        pace = Pace(16)
        entered = [await pace.enter() for _ in range(16)]
        for one in entered[:12]:
            pace.leave(one, too_fast=True)
        assert pace.limit == 8
        for one in entered[12:]:
            pace.leave(one, too_fast=False)
        assert pace.limit == 8
        for _ in range(40):
            pace.leave(await pace.enter(), too_fast=False)
        assert 9 <= pace.limit <= 13
        for _ in range(200):
            pace.leave(await pace.enter(), too_fast=False)
        assert pace.limit == 16
        for _ in range(10):
            pace.leave(await pace.enter(), too_fast=True)
        assert pace.limit == 1, "and never stops"

    asyncio.run(play())


def test_who_waits_for_a_place_gets_it():
    async def play() -> None:
        pace = Pace(2)
        first, second = await pace.enter(), await pace.enter()
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(pace.enter()) for _ in range(3)]
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            pace.leave(first, too_fast=True)  # one place in all from now on
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not any(task.done() for task in waiting)
            pace.leave(second, too_fast=False)
            for _ in range(3):
                entered = [task for task in waiting if task.done()]
                while not entered:
                    await asyncio.sleep(0)
                    entered = [task for task in waiting if task.done()]
                waiting.remove(entered[0])
                pace.leave(entered[0].result(), too_fast=False)

    asyncio.run(play())


def test_a_provider_that_wants_fewer_gets_fewer_and_nothing_is_lost(project_folder: Path):
    """429 with Retry-After, often and in bursts: each row is there in the end, once."""

    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(40), concurrency=8)
        result = await on.conduct(on.order(of))
        assert (result.answered, result.failed) == (40, 0)
        asked = Counter(on.contents())
        assert len(asked) == 40
        refused = len(on.provider.calls) - 40
        assert 6 <= refused < 40
        assert sum(asked.values()) == 40 + refused

    wait = {"retry-after": "0"}
    busy = Behaviour(status=429, headers=wait)
    slow = Behaviour(text="right", headers_after_s=0.002)
    script = (slow, slow, busy, busy, busy, busy, slow, slow, slow, busy, slow, slow, busy, slow)
    on_stage(project_folder, act, *script)


def test_a_row_that_is_refused_for_long_is_an_error_and_asked_for_again(project_folder: Path):
    async def act(on: Stage) -> None:
        of = suite(project_folder, cases(3), concurrency=1)
        result = await on.conduct(on.order(of))
        assert (result.answered, result.failed) == (3, 0)
        asked = Counter(on.contents())
        assert sorted(asked.values()) == [1, 1, 1 + 8]

    busy = Behaviour(status=503, headers={"retry-after": "0"}, times=8)
    on_stage(project_folder, act, RIGHT, busy, RIGHT)


def test_told_to_stop_nobody_waits_for_what_would_be_asked_later(project_folder: Path):
    async def act(on: Stage) -> None:
        answerer = GatewayAnswerer(on.app.gateway, CLOCK, "exp_1")
        of = suite(project_folder, cases(3))
        seen: list[Row] = []

        async def heard(planned: Planned, row: Row) -> None:
            del planned
            seen.append(row)

        run = RowRun(answerer, Keeper(on.store), Allowance(None), at_once=2, on_row=heard)
        planned = plan_rows([on.ready(of)], of, 1, store=on.store)
        async with asyncio.TaskGroup() as group, asyncio.timeout(5):
            running = group.create_task(run.run(planned))
            await on.provider.wait_for(lambda: len(on.provider.calls) == 2)
            await on.app.gateway.drained()
            run.stop()
        assert running.result() == "told"
        assert seen == []
        assert on.store.row_heads(on.ready(of).setup.hash) == [], "they are no errors either"

    on_stage(project_folder, act, Behaviour(status=429, headers={"retry-after": "50"}))
