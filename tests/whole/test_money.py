"""The bill to the nano-dollar: mixed traffic against a second computation."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness import Gateway, running_gateway, trimtab, wait_until
from trimtab.archive import verify_store
from trimtab.testing import FaultProvider, RunningFaultProvider, running_fault_provider
from whole.book import Book
from whole.cases import CASES, SCRIPT, Case, case_project, enough
from whole.money import estimated_cost, reported_cost
from whole.wire import Answer, Caller, chat_body

CALLERS = 8
USERS = 6
_CONNECT_S = 0.1  # at most, until a request has left


class Asked(NamedTuple):
    """A request as it was sent."""

    case: Case
    session: str
    user: str
    body: bytes
    headers: dict[str, str]


class Cost(NamedTuple):
    """Nano-dollars, in all and the part of them that is an estimate."""

    total: int
    estimated: int


def requests(rounds: int) -> Iterator[Asked]:
    """Each case `rounds` times; the user is named in each way that there is."""
    numbers = itertools.count()
    for _ in range(rounds):
        for case in CASES:
            number = next(numbers)
            user = f"user{number % USERS}" if number % 11 else ""
            session = f"s{number}"
            fields: dict[str, Any] = case.fields | {"metadata": {"session_id": session}}
            fields["messages"] = [{"role": "user", "content": "m" * (number * 37 % 1_009)}]
            headers: dict[str, str] = {}
            if user:
                way = number % 3
                if way == 0:
                    headers["x-trimtab-user"] = user
                fields |= ({"user": "other"}, {"user": user}, {"safety_identifier": user})[way]
            model = f"{case.name}-route" if case.timeouts else case.name
            yield Asked(case, session, user, chat_body(model, **fields), headers)


class Traffic:
    """Sends everything, several at once, and checks what comes back."""

    def __init__(self, gateway: Gateway, provider: RunningFaultProvider) -> None:
        self._port = gateway.port
        self.answer_bytes: dict[str, int] = {}
        self._provider = provider

    async def send(self, asked: list[Asked]) -> None:
        waiting = iter(asked)
        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self._send_all(waiting))

    async def _send_all(self, waiting: Iterator[Asked]) -> None:
        caller = Caller(self._port)
        for asked in waiting:
            await self._send_one(caller, asked)
        caller.close()

    async def _send_one(self, caller: Caller, asked: Asked) -> None:
        case = asked.case
        if case.quit_after == 0:
            await self._leave_at_once(asked)
            return
        goes_on = enough(case)

        def progress(answer: Answer) -> bool:
            return goes_on(answer.tokens)

        answer = await caller.chat(asked.body, headers=asked.headers, progress=progress)
        where = f"{case.name}: {answer.status} {answer.body[-300:]!r}"
        if answer.status == 200 and not case.fields.get("stream"):
            self.answer_bytes[asked.session] = len(answer.body)
        if case.status is not None:
            assert answer.status == case.status, where
            assert answer.whole == (case.ends and case.quit_after is None), where
        if case.quit_after is not None:
            assert answer.tokens == case.quit_after, where

    async def _leave_at_once(self, asked: Asked) -> None:
        mark = f'"{asked.session}"'.encode()

        def arrived(provider: FaultProvider) -> bool:
            return any(mark in call.body for call in provider.calls)

        caller = Caller(self._port)
        asking = asyncio.ensure_future(caller.chat(asked.body, headers=asked.headers))
        await asyncio.to_thread(self._provider.wait_for, arrived)
        asking.cancel()
        await asyncio.wait([asking])
        assert caller.answer.status == 0


def expected_costs(
    asked: list[Asked], provider: RunningFaultProvider, outputs: dict[str, int]
) -> dict[str, Cost]:
    """By session, from what the provider logged and the prices written down in `money`.

    Args:
        asked: all requests.
        provider: has the log.
        outputs: tokens of whole answers of which the provider told no usage, by session.
    """
    reported: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for call in provider.calls:
        session = json.loads(call.body)["metadata"]["session_id"]
        if call.usage_reported is not None:
            reported[session].append(call.usage_reported)
    return {
        one.session: _expected_cost(one, reported[one.session], outputs.get(one.session, 0))
        for one in asked
    }


def unseen_outputs(folder: Path, cases: dict[str, Case]) -> dict[str, int]:
    """Output tokens by session where a whole answer never came: 50 for each second of waiting.

    Only the gateway knows to the millisecond how long that was, so it is its own word that is taken
    within these bounds.
    """
    entries = Book(folder).read()
    outputs: dict[str, int] = {}
    for attempt, intent in entries.intents.items():
        session = intent["caller"]["session"]
        unseen = cases[session].unseen
        if unseen is None:
            continue
        settle = entries.settles[attempt]
        waited_s: float = settle["latency_us"] / 1e6
        least, most = unseen
        output: int = settle["usage"].get("output_tokens", 0)
        assert max(least, 50 * (waited_s - _CONNECT_S) - 1) <= output, (session, settle)
        assert output <= max(most, 50 * waited_s), (session, settle)
        outputs[session] = output
    return outputs


def _expected_cost(asked: Asked, reported: list[dict[str, Any]], output_tokens: int) -> Cost:
    case = asked.case
    usages = [case.usage] if case.usage is not None else reported
    if case.source == "reported":
        assert usages or case.status is None, f"{case.name} reported nothing"
        return Cost(sum(reported_cost(case.rates, usage) for usage in usages), 0)
    assert not usages, f"{case.name} reported {usages}"
    if case.source == "none":
        return Cost(0, 0)
    output = case.frames if case.fields.get("stream") else output_tokens
    estimate = estimated_cost(case.rates, len(asked.body), output)
    return Cost(estimate, estimate)


def ledger_costs(folder: Path) -> dict[str, Cost]:
    """By session, from the settles."""
    entries = Book(folder).read()
    costs: dict[str, Cost] = {}
    for attempt, intent in entries.intents.items():
        settle = entries.settles[attempt]
        cost = settle.get("cost_nanousd", 0)
        before = costs.get(intent["caller"]["session"], Cost(0, 0))
        estimated = cost if settle.get("usage_source") == "estimated" else 0
        costs[intent["caller"]["session"]] = Cost(before.total + cost, before.estimated + estimated)
    return costs


def bill(costs: dict[str, Cost], asked: list[Asked]) -> dict[str, Cost]:
    """By user."""
    users: dict[str, Cost] = {}
    for one in asked:
        before, cost = users.get(one.user, Cost(0, 0)), costs[one.session]
        users[one.user] = Cost(before.total + cost.total, before.estimated + cost.estimated)
    return users


def check_bill(folder: Path, rounds: int) -> None:
    asked = list(requests(rounds))
    with running_fault_provider(SCRIPT) as provider:
        with running_gateway(folder, case_project(provider.base_url)) as gateway:
            traffic = Traffic(gateway, provider)
            asyncio.run(traffic.send(asked))
            wait_until(lambda: verify_store(folder / "trimtab.toml").in_flight == 0)
        unseen = unseen_outputs(folder, {one.session: one.case for one in asked})
        outputs = {key: -(-size // 4) for key, size in traffic.answer_bytes.items()} | unseen
        expected = expected_costs(asked, provider, outputs)
    found = ledger_costs(folder)
    case_of = {one.session: one.case.name for one in asked}
    wrong = {
        case_of[session]: (session, cost, found.get(session))
        for session, cost in expected.items()
        if found.get(session) != cost
    }
    assert not wrong, f"case: (session, expected, found) {wrong}"
    assert found.keys() == expected.keys()
    done = trimtab("spend", "users", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    users = bill(expected, asked)
    assert {
        user["user"]: Cost(user["cost_nanousd"], user["estimated_nanousd"])
        for user in report["users"]
    } == users
    total = Cost(sum(u.total for u in users.values()), sum(u.estimated for u in users.values()))
    assert (report["cost_nanousd"], report["estimated_nanousd"]) == total
    assert report["requests"] == len(asked)
    assert report["unsettled_nanousd"] == 0
    assert verify_store(folder / "trimtab.toml").ok


def test_the_bill_is_right_to_the_nano_dollar(project_folder: Path):
    check_bill(project_folder, rounds=-(-520 // len(CASES)))


@pytest.mark.soak
def test_a_long_bill_is_right_to_the_nano_dollar(project_folder: Path):
    check_bill(project_folder, rounds=100)


@pytest.mark.parametrize("name", ["ttft", "total"])
def test_a_timeout_is_one_attempt_on_a_kept_connection_too(project_folder: Path, name: str):
    case = next(case for case in CASES if case.name == name)
    with (
        running_fault_provider(SCRIPT) as provider,
        running_gateway(project_folder, case_project(provider.base_url)) as gateway,
    ):
        assert gateway.chat(model="whole").status == 200  # leaves its connection behind
        reply = gateway.chat(model=f"{name}-route", **case.fields)
        assert reply.status == 504
        event = wait_until(lambda: gateway.reader().event(reply.headers["x-request-id"]))
        assert (event.outcome, event.attempts) == ("timeout", 1)
        assert event.latency_us == pytest.approx(200_000, abs=1)
        assert len(provider.calls) == 2
