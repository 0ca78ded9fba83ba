"""SIGKILL under load at random moments: what was received is on record, the rest is unsettled."""

import asyncio
import contextlib
import json
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness import Gateway, project_text, start_gateway, trimtab
from store.samples import all_events
from trimtab.archive import open_reader, verify_store
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider
from whole.book import Book
from whole.wire import Answer, Caller, chat_body

CALLERS = 8
EVERY_CLI = 20
FOREVER_NS = 1 << 62
# Delays of a few milliseconds at each place, so that kills hit every phase of an inference.
SCRIPT = Script(
    calls=(
        Behaviour(headers_after_s=0.002, first_token_after_s=0.001, token_every_s=0.001, tokens=5),
        Behaviour(tokens=3),
        Behaviour(first_token_after_s=0.004, tokens=20, token_every_s=0.0005),
        Behaviour(headers_after_s=0.006, tokens=2),
    )
    * 200
)

WISHES: tuple[dict[str, Any], ...] = (
    {},
    {"n": 2},
    {"stream": True},
    {"stream": True, "n": 2},
    {"stream": True, "stream_options": {"include_usage": True}},
)


class Callers:
    """Callers that ask without end, and what each of them got."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._asked = 0
        self._steps_left = 0
        self._gateway: Gateway | None = None
        self.whole: dict[str, Answer] = {}
        self.touched: set[str] = set()

    async def load(self, gateway: Gateway) -> None:
        """Ask until the gateway is killed, a random number of steps from now."""
        self._gateway = gateway
        self._steps_left = self._rng.randrange(1, 150)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self._ask_on(gateway.port))

    async def _ask_on(self, port: int) -> None:
        caller = Caller(port)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    await self._ask(caller)
        finally:
            caller.close()

    async def _ask(self, caller: Caller) -> None:
        self._asked += 1
        fields = self._rng.choice(WISHES)
        text = "m" * self._rng.randrange(1_000)
        body = chat_body(messages=[{"role": "user", "content": text}], **fields)
        headers = {
            "x-trimtab-user": f"user{self._rng.randrange(5)}",
            "x-trimtab-session": f"ask{self._asked}",
        }
        try:
            answer = await caller.chat(body, headers=headers, progress=self._step)
        finally:
            if caller.answer.body:
                self.touched.add(caller.answer.request_id)
        assert answer.status == 200, answer.body
        assert answer.whole, answer.body
        self.whole[answer.request_id] = answer

    def _step(self, answer: Answer) -> bool:
        if answer.body:
            self.touched.add(answer.request_id)
        self._steps_left -= 1
        if self._steps_left == 0:
            assert self._gateway is not None
            delay_s = self._rng.uniform(0, 0.008)
            asyncio.get_running_loop().call_later(delay_s, self._gateway.process.kill)
        return True


class Inspection:
    """Holds the ledger against what the callers got and the provider reported."""

    def __init__(self, folder: Path, provider: RunningFaultProvider, callers: Callers) -> None:
        self._folder = folder
        self._provider = provider
        self._callers = callers
        self._book = Book(folder)
        self._checked: set[str] = set()

    def after_restart(self) -> None:
        """Everything that must hold while nobody asks."""
        report = verify_store(self._folder / "trimtab.toml")
        assert report.ok, report.findings
        entries = self._book.read()
        assert report.in_flight == 0
        assert report.intents == len(entries.intents)
        assert report.settles == len(entries.settles)
        assert entries.settles.keys() <= entries.intents.keys()
        assert report.unsettled == report.intents - report.settles == len(entries.unsettled)
        begun = {inference_id for inference_id, _ in entries.intents}
        assert self._callers.touched <= begun, "served and not in the ledger"
        sessions = {intent["caller"]["session"] for intent in entries.intents.values()}
        assert len(sessions) == len(begun), "one request, two inferences"
        self._check_whole()
        self._check_reader()

    def _check_whole(self) -> None:
        calls = self._provider.calls
        for inference_id in self._callers.whole.keys() - self._checked:
            settle = self._book.entries.settles.get((inference_id, 1))
            assert settle is not None, f"{inference_id} was received in full and is not settled"
            assert settle["outcome"] == "ok"
            answer = self._callers.whole[inference_id]
            number = int(answer.headers["x-trimtab-provider-request-id"].removeprefix("req_"))
            reported = calls[number].usage_reported
            assert reported is not None
            usage = settle["usage"]
            assert usage["input_tokens"] == reported["prompt_tokens"]
            assert usage["output_tokens"] == reported["completion_tokens"]
            cost = reported["prompt_tokens"] * 400 + reported["completion_tokens"] * 1_600
            assert settle["cost_nanousd"] == cost
            self._checked.add(inference_id)

    def _check_reader(self) -> None:
        reader = open_reader(self._folder / "trimtab.toml")
        open_intents = reader.unsettled(0, FOREVER_NS)
        assert not any(found.in_flight for found in open_intents)
        attempts = {(found.intent.inference_id, found.intent.attempt) for found in open_intents}
        assert attempts == self._book.entries.unsettled
        if self._callers.whole:
            event = reader.event(next(reversed(self._callers.whole)))
            assert event is not None
            assert event.outcome == "ok"

    def at_the_end(self) -> None:
        """The projection comes to the same as the ledger, and so does one made anew."""
        first = self._check_spend()
        done = trimtab("ledger", "rebuild", folder=self._folder)
        assert done.returncode == 0, done.stderr
        assert self._check_spend() == first
        reader = open_reader(self._folder / "trimtab.toml")
        events = {event.inference_id: event for event in all_events(reader)}
        assert all(events[found].outcome == "ok" for found in self._callers.whole)
        assert len(events) == len(self._book.entries.settles)

    def _check_spend(self) -> object:
        entries = self._book.read()
        costs: defaultdict[str, int] = defaultdict(int)
        for attempt, settle in entries.settles.items():
            costs[entries.intents[attempt]["caller"]["user"]] += settle.get("cost_nanousd", 0)
        done = trimtab("spend", "users", "--json", folder=self._folder)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["cost_nanousd"] == sum(costs.values())
        held = sum(entries.intents[attempt]["hold_nanousd"] for attempt in entries.unsettled)
        assert report["unsettled_nanousd"] == held
        assert {u["user"]: u["cost_nanousd"] for u in report["users"] if u["requests"]} == costs
        return [sorted(user.items()) for user in report["users"]]


def kill_again_and_again(folder: Path, *, seed: int, kills: int) -> None:
    callers = Callers(Random(seed))
    with running_fault_provider(SCRIPT) as provider:
        (folder / "trimtab.toml").write_text(project_text(provider.base_url))
        inspection = Inspection(folder, provider, callers)
        gateway = start_gateway(folder)
        try:
            for number in range(kills):
                where = f"seed {seed}, kill {number}"
                try:
                    asyncio.run(callers.load(gateway))
                    gateway.kill()
                    gateway = start_gateway(folder)
                    inspection.after_restart()
                    if number % EVERY_CLI == EVERY_CLI - 1:
                        done = trimtab("ledger", "verify", folder=folder)
                        assert done.returncode == 0, done.stdout + done.stderr
                except BaseException as error:
                    error.add_note(f"{where}; the gateway said: {''.join(gateway.output)[-4000:]}")
                    raise
        except BaseException:
            gateway.kill()
            raise
        assert gateway.stop() == 0
        inspection.at_the_end()
        assert len(callers.whole) > 3 * kills


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_in_fifty_kills(project_folder: Path, seed: int):
    kill_again_and_again(project_folder, seed=seed, kills=50)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 110))
def test_nothing_is_lost_in_a_thousand_kills(project_folder: Path, seed: int):
    kill_again_and_again(project_folder, seed=seed, kills=100)
