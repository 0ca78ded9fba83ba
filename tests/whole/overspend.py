"""Many callers at once and a budget for a few of them: what was spent, by whoever counts it.

A run can be repeated by its seed, apart from the order in which sockets become ready.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from harness import NO_BREAKERS, Gateway, start_gateway
from trimtab.archive import open_reader, verify_store
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider
from trimtab.testing.calls import Call
from whole.wire import Answer, Caller

INPUT, OUTPUT = 1_000, 10_000  # nano-dollars a token
_FOREVER_NS = 1 << 62
_ANA = {"x-trimtab-user": "ana"}

# What the provider does to the calls that reach it, over and over.
_TURNS = (
    Behaviour(tokens=40, headers_after_s=0.01, token_every_s=0.002),
    Behaviour(tokens=40, headers_after_s=0.05, token_every_s=0.001),
    Behaviour(status=500, times=1),
    Behaviour(tokens=25, headers_after_s=0.01, token_every_s=0.004),
    Behaviour(tokens=400, headers_after_s=0.01, token_every_s=0.001),
    Behaviour(tokens=40, token_every_s=0.002, cut="close", cut_after_tokens=12),
    Behaviour(tokens=60, headers_after_s=0.02, token_every_s=0.002),
    Behaviour(status=429, headers={"retry-after-ms": "20"}),
    Behaviour(tokens=30, first_token_after_s=0.03, token_every_s=0.001),
)


class Spent(NamedTuple):
    """What a run came to, in nano-dollars.

    Attributes:
        budget: what might be spent.
        booked: what the ledger says, with what is unsettled at its hold.
        billed: what the provider worked for, by its own log.
        statuses: how many callers got which last status; 0 for those who left by themselves.
    """

    budget: int
    booked: int
    billed: int
    statuses: Counter[int]


class Crowd:
    """Callers of one user, all at once, each until it has an answer or a refusal."""

    def __init__(self, folder: Path, rng: Random) -> None:
        self._folder = folder
        self._rng = rng
        self._gateway = start_gateway(folder)
        self._up = asyncio.Event()
        self._up.set()
        self._changed = asyncio.Condition()
        self.statuses: Counter[int] = Counter()

    @property
    def gateway(self) -> Gateway:
        """The one that runs at present."""
        return self._gateway

    async def run(self, count: int, *, kills: int, stops: int) -> None:
        """Let `count` callers in, and end the gateway now and then: by SIGKILL, or in order."""
        async with asyncio.timeout(240), asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._ask(number))
            for kill in self._rng.sample([True] * kills + [False] * stops, kills + stops):
                await self._answered(min(self.statuses.total() + count // 20, count))
                await self._begin_anew(kill=kill)

    async def _answered(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.statuses.total() >= count)

    async def _begin_anew(self, *, kill: bool) -> None:
        self._up.clear()
        await asyncio.to_thread(self._gateway.kill if kill else self._gateway.stop)
        self._gateway = await asyncio.to_thread(start_gateway, self._folder)
        self._up.set()

    async def _ask(self, number: int) -> None:
        body, leaves_after = _wish(number)
        while True:
            await self._up.wait()
            caller = Caller(self._gateway.port)
            try:
                answer = await caller.chat(
                    body, headers=_ANA, progress=lambda answer: answer.tokens < leaves_after
                )
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.01)  # the gateway went away; ask the next one
                continue
            finally:
                caller.close()
            if answer.status in {500, 502, 503}:
                await asyncio.sleep(0.05)  # as clients do
                continue
            async with self._changed:
                self.statuses[_last_status(answer)] += 1
                self._changed.notify_all()
            return


def _wish(number: int) -> tuple[bytes, int]:
    """A request, and the number of tokens after which its caller leaves."""
    fields: dict[str, object] = {
        "model": "main",
        "messages": [{"role": "user", "content": f"question {number} " + "of many " * 12}],
    }
    if number % 2:
        fields["stream"] = True
    if number % 3 or number % 2 == 0:  # a whole answer without a limit holds all that is left
        fields["max_tokens"] = 40
    leaves_after = 8 if number % 10 == 5 else 1 << 30
    return json.dumps(fields).encode(), leaves_after


def _last_status(answer: Answer) -> int:
    return answer.status if answer.whole else 0


@contextmanager
def stage(folder: Path, budget: int) -> Generator[RunningFaultProvider]:
    """A project with a budget for `ana`, and its provider."""
    script = Script(named={"main": _TURNS * 300, "cheap": (Behaviour(tokens=2),)})
    with running_fault_provider(script) as provider:
        text = f"""
[server]
port = 0
drain_s = 1
[providers.one]
kind = "openai"
base_url = "{provider.base_url}"
[models.main]
ref = "one:fault:main"
price = {{input_usd_per_mtok = 1, output_usd_per_mtok = 10}}
hidden_reasoning = false
[models.cheap]
ref = "one:fault:cheap"
price = {{input_usd_per_mtok = 0.0001, output_usd_per_mtok = 0.0001}}
[routes.default]
timeouts = {{ttft_s = 60, idle_s = 10, total_s = 90}}
{NO_BREAKERS}
[budgets.daily]
per = "user"
window = "day"
limit_usd = {budget / 1e9:.9f}
"""
        (folder / "trimtab.toml").write_text(text, encoding="utf-8")
        yield provider


def total(folder: Path, budget: int, provider: RunningFaultProvider, crowd: Crowd) -> Spent:
    """What the run came to."""
    file = folder / "trimtab.toml"
    reader = open_reader(file)
    settled = sum(g.cost_nanousd for g in reader.usage_by("user", 0, _FOREVER_NS, measures=()))
    open_nanousd = sum(e.intent.hold_nanousd for e in reader.unsettled(0, _FOREVER_NS))
    report = verify_store(file)
    assert report.ok, report.findings
    billed = sum(map(_bill, provider.calls))
    return Spent(budget, settled + open_nanousd, billed, crowd.statuses)


def _bill(call: Call) -> int:
    """What a provider would charge: all that it took in and sent."""
    if call.model != "fault:main" or not (call.tokens_sent or call.usage_reported):
        return 0
    return max(1, len(call.body) // 4) * INPUT + call.tokens_sent * OUTPUT


def ask_cheaply(gateway: Gateway) -> int:
    """The status of a small request of the same user, which what is left can pay."""
    body = {"model": "cheap", "max_tokens": 2, "messages": [{"role": "user", "content": "hi"}]}
    answer = gateway.chat(headers=_ANA, **body)
    return answer.status


def close(crowd: Crowd) -> None:
    """End the last gateway."""
    with contextlib.suppress(ProcessLookupError):
        crowd.gateway.stop()
