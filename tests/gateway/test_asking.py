"""What the house itself asks: one model, the whole answer, with its own limits and records."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evals.stage import PRICE, Stage, on_stage, stage
from gateway.test_prompted import triage, write_prompt
from harness import wait_until
from trimtab.archive import open_reader
from trimtab.errors import (
    BudgetExceeded,
    PromptNotReleased,
    PromptVariables,
    ProviderRefused,
    RateLimited,
    RouteUnavailable,
    ShuttingDown,
    StoreError,
    UnknownModel,
)
from trimtab.gateway.asking import Asked, Question
from trimtab.gateway.worst_case import most_nanousd
from trimtab.prompts.library import load_library
from trimtab.releases.serving import Served
from trimtab.store.records import AttemptRecord, Event, EventQuery
from trimtab.testing import Behaviour
from trimtab.types.identity import Caller

WHO = Caller(team="evals", session="exp_1")
ONE_DAY = '[budgets.evals]\nper = "team"\nwindow = "day"\n'


def question(text: str = "hi", model: str = "main", *, pin: str = "", **fields: Any) -> Question:
    messages = [{"role": "user", "content": text}]
    body = msgspec.json.encode({"model": model, "messages": messages, **fields})
    return Question(body, None, pin)


async def ask(on: Stage, asked: Question | None = None) -> Asked:
    return await on.app.gateway.ask(asked or question(), WHO)


async def event_of(on: Stage, asked: Asked) -> Event:
    """Its record, which follows the answer by a moment."""
    reader = on.app.reader
    return await asyncio.to_thread(wait_until, lambda: reader.event(asked.inference_id))


async def attempts_of(on: Stage, inference_id: str) -> list[AttemptRecord]:
    """Once they are all settled."""

    def settled() -> list[AttemptRecord]:
        found = on.app.reader.attempts(inference_id)
        return found if all(attempt.settled for attempt in found) else []

    return await asyncio.to_thread(wait_until, settled)


async def only_inference(on: Stage) -> str:
    """The id of the one that there is."""
    query = EventQuery(since_ns=0, until_ns=1 << 62)
    (event,) = await asyncio.to_thread(wait_until, lambda: on.app.reader.event_page(query).events)
    return event.inference_id


def played(
    folder: Path,
    act: Callable[[Stage], Awaitable[None]],
    *behaviours: Behaviour,
    extra: str = "",
) -> None:
    on_stage(folder, act, *behaviours, extra=extra)


def test_an_answer_and_its_record(project_folder: Path):
    async def act(on: Stage) -> None:
        asked = await ask(on, question("hi", user="ann"))
        assert asked.error is None
        assert msgspec.json.decode(asked.body)["choices"][0]["message"]["content"] == "right"
        assert asked.settle is not None
        assert asked.settle.served_model == "fault:main"
        usage = asked.settle.usage
        assert asked.cost_nanousd == usage.input_tokens * 1_000 + usage.output_tokens * 10_000
        event = await event_of(on, asked)
        assert (event.team, event.session, event.key_id) == ("evals", "exp_1", "")
        assert (event.outcome, event.attempts) == ("ok", 1)
        assert event.cost_nanousd == asked.cost_nanousd
        assert event.latency_us == asked.settle.latency_us

    played(project_folder, act, Behaviour(text="right", tokens=1))


def test_many_at_once_each_with_its_own_answer(project_folder: Path):
    async def act(on: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(ask(on, question(f"q{at}"))) for at in range(50)]
        asked = [one.result() for one in asking]
        assert len({one.inference_id for one in asked}) == 50
        assert all(one.error is None and one.settle is not None for one in asked)
        assert sorted(on.contents()) == sorted(f"q{at}" for at in range(50))
        assert on.app.gateway.inflight == 0

    played(project_folder, act)


def test_an_error_of_the_provider(project_folder: Path):
    async def act(on: Stage) -> None:
        asked = await ask(on)
        assert isinstance(asked.error, ProviderRefused)
        assert asked.error.status == 400
        assert asked.body == b""
        assert asked.settle is not None
        assert asked.settle.outcome == "error"
        event = await event_of(on, asked)
        assert (event.outcome, event.status) == ("error", 400)
        assert (await ask(on)).error is None, "and the next one is served"

    played(project_folder, act, Behaviour(status=400), Behaviour())


def test_a_limit_is_reached(project_folder: Path):
    async def act(on: Stage) -> None:
        assert (await ask(on)).error is None
        asked = await ask(on)
        assert isinstance(asked.error, RateLimited)
        assert asked.error.retry_after_s is not None
        assert (asked.settle, asked.cost_nanousd) == (None, 0)
        assert len(on.provider.calls) == 1

    limit = '[limits.evals]\nper = "user"\nrequests_per_minute = 1'
    played(project_folder, act, extra=limit)


def test_places_of_a_limit_are_given_back(project_folder: Path):
    async def act(on: Stage) -> None:
        for _ in range(5):
            asked = await ask(on)
            assert asked.error is None or isinstance(asked.error, ProviderRefused)
        assert len(on.provider.calls) == 5

    limit = '[limits.evals]\nper = "user"\nconcurrent = 1'
    played(project_folder, act, Behaviour(), Behaviour(status=400), Behaviour(), extra=limit)


def test_a_budget_that_does_not_pay_for_the_whole_answer_refuses(project_folder: Path):
    async def act(on: Stage) -> None:
        first = await ask(on, question(max_tokens=20))
        assert first.error is None
        asked = await ask(on, question(max_tokens=100))
        assert isinstance(asked.error, BudgetExceeded), "callers would get a shorter answer"
        assert len(on.provider.calls) == 1
        assert (await ask(on, question(max_tokens=20))).error is None

    played(project_folder, act, Behaviour(tokens=20), extra=f"{ONE_DAY}limit_usd = 0.001")


def test_a_budget_that_turns_to_a_cheaper_model_refuses(project_folder: Path):
    async def act(on: Stage) -> None:
        assert (await ask(on, question(model="both"))).error is None
        asked = await ask(on, question(model="both"))
        assert isinstance(asked.error, BudgetExceeded)
        assert "cheaper model" in str(asked.error)
        assert [call.model for call in on.provider.calls] == ["fault:main"]

    budget = f'{ONE_DAY}limit_usd = 0.00001\nover = "downgrade"'
    route = '[routes.both]\nmodel = "main"\nfallback = ["other"]'
    played(project_folder, act, extra=f"{budget}\n{route}")


def test_no_cache_no_hedge_no_fallback(project_folder: Path):
    async def act(on: Stage) -> None:
        slow = await ask(on, question(model="r"))
        again = await ask(on, question(model="r"))
        failed = await ask(on, question(model="r"))
        assert slow.error is None
        assert again.error is None
        assert slow.inference_id != again.inference_id
        assert isinstance(failed.error, ProviderRefused)
        assert [call.model for call in on.provider.calls] == ["fault:main"] * 3

    route = """
[routes.r]
model = "main"
fallback = ["other"]
cache = {ttl_s = 60}
hedge = {after_s = 0.01, max_share = 1}
retries = 0
"""
    slow = Behaviour(headers_after_s=0.1)
    played(project_folder, act, slow, Behaviour(), Behaviour(status=500), extra=route)


def test_a_pin_answers_and_nobody_else(project_folder: Path):
    async def act(on: Stage) -> None:
        for at in range(6):
            asked = await ask(on, question(f"pinned {at}", model="r", pin="two:fault:main"))
            assert (await event_of(on, asked)).provider == "two"
        gateway, callers = on.app.gateway, [Caller(session=f"s{at}") for at in range(20)]
        free = [await gateway.ask(question(model="r"), caller) for caller in callers]
        assert {(await event_of(on, one)).provider for one in free} == {"one", "two"}
        wrong = await ask(on, question(model="r", pin="one:fault:other"))
        assert isinstance(wrong.error, PromptNotReleased)
        unknown = await ask(on, question(model="nothing"))
        assert isinstance(unknown.error, UnknownModel)
        assert (unknown.settle, unknown.body) == (None, b"")

    twice = f"""
[models.twice]
ref = "one:fault:main"
also = ["two:fault:main"]
price = {PRICE}
[routes.r]
model = "twice"
fallback = ["other"]
"""
    played(project_folder, act, extra=twice)


def test_a_model_that_is_left_alone(project_folder: Path):
    async def act(on: Stage) -> None:
        errors = [(await ask(on)).error for _ in range(3)]
        assert isinstance(errors[0], ProviderRefused)
        assert isinstance(errors[-1], RouteUnavailable)
        assert errors[-1].retry_after_s

    breakers = "[breakers]\nfailures = 2"
    played(project_folder, act, Behaviour(status=500), extra=breakers)


def test_cancelled_under_way(project_folder: Path):
    async def act(on: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(ask(on))
            await on.provider.wait_for(lambda: bool(on.provider.calls))
            asking.cancel()
        assert asking.cancelled()
        await on.provider.wait_for(lambda: on.provider.calls[0].ended_by == "caller closed")
        await on.app.gateway.drained()
        (attempt,) = await attempts_of(on, await only_inference(on))
        assert (attempt.outcome, attempt.error_code) == ("cancelled", "caller_gone")

    played(project_folder, act, Behaviour(headers_after_s=30))


def test_cancelled_while_it_waits_for_a_budget(project_folder: Path):
    """What is left is held by the first one; the second one stands in line, and leaves."""

    async def act(on: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(ask(on, question(max_tokens=60)))
            await on.provider.wait_for(lambda: bool(on.provider.calls))
            second = group.create_task(ask(on, question(max_tokens=60)))
            await asyncio.sleep(0)
            assert on.app.gateway.inflight == 2
            second.cancel()
        assert second.cancelled()
        assert first.result().error is None
        assert on.app.gateway.inflight == 0
        assert (await ask(on, question(max_tokens=20))).error is None, "nothing is held for it"
        assert len(on.provider.calls) == 2

    slow = Behaviour(headers_after_s=0.5, tokens=1)
    played(project_folder, act, slow, Behaviour(), extra=f"{ONE_DAY}limit_usd = 0.001")


def test_the_end_ends_what_is_under_way(project_folder: Path):
    async def play() -> None:
        slow = Behaviour(headers_after_s=30)
        async with asyncio.TaskGroup() as group, stage(project_folder, slow) as on:
            asking = group.create_task(ask(on))
            await on.provider.wait_for(lambda: bool(on.provider.calls))
        found = asking.result()
        assert isinstance(found.error, ShuttingDown)
        reader = open_reader(project_folder / "trimtab.toml")
        (attempt,) = reader.attempts(found.inference_id)
        assert attempt.error_code == "shutdown"

    asyncio.run(play())


def test_an_error_of_whoever_asks_comes_out_as_it_is(project_folder: Path):
    async def act(on: Stage) -> None:
        await ask(on)
        raise StoreError("no space left")

    with pytest.raises(StoreError, match="no space left"):
        played(project_folder, act)


def test_a_prompt_at_one_version(project_folder: Path):
    write_prompt(project_folder, triage(" well"))

    async def act(on: Stage) -> None:
        prompt = load_library(project_folder).prompts["support/triage"]
        served = Served(prompt, "v1-draft", "one:fault:main", "eval")
        body = {"prompt": {"id": "support/triage", "variables": {"ticket": "It broke"}}}
        asked = await ask(on, Question(msgspec.json.encode(body), served, "one:fault:main"))
        assert asked.error is None
        sent = msgspec.json.decode(on.provider.calls[0].body)
        assert sent["messages"][0]["content"] == "You route tickets well."
        assert "It broke" in sent["messages"][1]["content"]
        event = await event_of(on, asked)
        assert (event.prompt, event.prompt_arm) == ("support/triage", "eval")
        assert event.prompt_hash == prompt.version_hash
        lacking = msgspec.json.encode({"prompt": {"id": "support/triage", "variables": {}}})
        wrong = await ask(on, Question(lacking, served, "one:fault:main"))
        assert isinstance(wrong.error, PromptVariables)
        assert len(on.provider.calls) == 1

    good = Behaviour(text='{"team": "billing"}')
    played(project_folder, act, good)


def test_the_worst_case_is_never_exceeded(project_folder: Path):
    """It is tried again and again, and each answer is charged though none is complete."""

    async def act(on: Stage) -> None:
        asked = question("x" * 400, model="r", pin="one:fault:main", max_tokens=30)
        most = most_nanousd(on.app.gateway.preview(asked))
        found = await ask(on, asked)
        assert found.error is not None
        attempts = await attempts_of(on, found.inference_id)
        assert len(attempts) == 3
        assert found.cost_nanousd == sum(one.cost_nanousd for one in attempts)
        assert 0 < found.cost_nanousd <= most

    text = """
[routes.r]
model = "main"
retries = 2
[retries]
budget_share = 1
"""
    cut = Behaviour(tokens=30, cut="close", cut_after_tokens=29)
    played(project_folder, act, cut, extra=text)
