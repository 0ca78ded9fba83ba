"""The line of those that wait for room: who goes next, and who is not held up."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from typing_extensions import override

from gateway.test_funds import Bench, bench
from trimtab.config.money import Budget
from trimtab.gateway.funds import Backing, Fund
from trimtab.gateway.grant import Grant
from trimtab.gateway.treasury import Treasury, Waiter
from trimtab.spend.windows import Window
from trimtab.types.alerts import Alert
from trimtab.types.money import NANO_PER_USD

LIMIT = 100


class Queue:
    """A treasury, funds by name, and those that wait."""

    def __init__(self, on: Bench) -> None:
        self.bench = on
        self.alerts: list[Alert] = []
        self.treasury = Treasury(
            on.project, reader=on.funds_reader, clock=on.clock, tell=self.alerts.append
        )
        self.grants: list[Grant | None] = []
        self.went: list[str] = []
        self.tries: list[str] = []

    def fund(self, name: str) -> Fund:
        amount = Decimal(LIMIT) / NANO_PER_USD
        budget = Budget(per="total", window="day", limit_usd=amount, warn_at=(0.5,))
        fund = Fund(name, budget, "", window=Window(0, 1 << 62))
        fund.use(budget, "")
        return fund

    def grant(self, funds: Sequence[Fund], amount: int) -> Grant | None:
        call = self.bench.call()
        grant = self.treasury.grant(
            Backing(funds),
            amount,
            began_ns=call.started_ns,
            bounds=self.treasury.bounds_of(call.target.rungs[0]),
        )
        self.grants.append(grant)  # one that nobody has any more would give its hold back
        return grant

    def held(self, funds: Sequence[Fund], amount: int) -> Grant:
        grant = self.grant(funds, amount)
        assert grant is not None
        return grant


class Someone(Waiter):
    """Wants an amount of some funds."""

    def __init__(self, queue: Queue, name: str, funds: Sequence[Fund], amount: int) -> None:
        self.queue, self.name, self.funds, self.amount = queue, name, funds, amount
        self.grant: Grant | None = None
        wanted = queue.treasury.wanted_of(funds)
        queue.treasury.wait(self, wanted or self.lacking())

    def lacking(self) -> list[Fund]:
        return [
            fund
            for fund in self.funds
            if fund.account.held_nanousd + fund.account.spent_nanousd + self.amount > LIMIT
        ]

    @override
    def try_again(self) -> Sequence[Fund]:
        self.queue.tries.append(self.name)
        self.grant = self.queue.grant(self.funds, self.amount)
        if self.grant is None:
            return self.lacking()
        self.queue.went.append(self.name)
        self.queue.treasury.leave(self)
        return ()


def play(folder: Path, scene: Callable[[Queue], Coroutine[Any, Any, None]]) -> None:
    with bench(folder, "") as on:
        asyncio.run(scene(Queue(on)))


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_first_come_first_served(project_folder: Path):
    async def scene(queue: Queue) -> None:
        fund = queue.fund("a")
        held = queue.held([fund], LIMIT)
        for name, amount in (("large", 90), ("small", 10), ("other", 20)):
            Someone(queue, name, [fund], amount)
        await turns()
        assert queue.went == []
        held.settle(0)
        await turns()
        assert queue.went == ["large", "small"]
        assert queue.treasury.waiting == 1

    play(project_folder, scene)


def test_who_waits_for_one_fund_holds_up_nobody_in_another(project_folder: Path):
    async def scene(queue: Queue) -> None:
        ana, everyone = queue.fund("ana"), queue.fund("everyone")
        held = queue.held([ana], LIMIT)
        Someone(queue, "ana 1", [ana, everyone], 10)
        Someone(queue, "ana 2", [ana, everyone], 10)
        assert queue.treasury.wanted_of([everyone]) == []
        assert queue.treasury.wanted_of([ana, everyone]) == [ana]
        held.settle(0)
        await turns()
        assert queue.went == ["ana 1", "ana 2"]
        assert queue.treasury.wanted_of([ana, everyone]) == []

    play(project_folder, scene)


def test_what_is_lacking_may_change_and_nobody_overtakes_there_either(project_folder: Path):
    async def scene(queue: Queue) -> None:
        ana, everyone = queue.fund("ana"), queue.fund("everyone")
        first, second = queue.held([ana], LIMIT), queue.held([everyone], 60)
        Someone(queue, "ana", [ana, everyone], 40)
        third = queue.held([everyone], 40)
        first.settle(0)
        await turns()
        assert queue.went == []
        assert queue.treasury.wanted_of([ana, everyone]) == [everyone]
        Someone(queue, "late", [everyone], 10)
        third.settle(5)
        await turns()
        assert queue.went == [], "35 are not enough, and who came later waits as well"
        second.settle(0)
        await turns()
        assert queue.went == ["ana", "late"]

    play(project_folder, scene)


def test_who_leaves_lets_those_behind_go(project_folder: Path):
    async def scene(queue: Queue) -> None:
        fund = queue.fund("a")
        queue.held([fund], 50)
        first = Someone(queue, "first", [fund], 90)
        Someone(queue, "second", [fund], 50)
        await turns()
        assert queue.went == []
        queue.treasury.leave(first)
        queue.treasury.leave(first)
        await turns()
        assert queue.went == ["second"]
        assert queue.treasury.waiting == 0

    play(project_folder, scene)


def test_who_comes_when_there_is_room_again_does_not_wait_for_the_next_end(project_folder: Path):
    async def scene(queue: Queue) -> None:
        ana, everyone = queue.fund("ana"), queue.fund("everyone")
        held, other = queue.held([ana], LIMIT), queue.held([everyone], LIMIT)
        Someone(queue, "ana 1", [ana, everyone], 10)
        Someone(queue, "ana 2", [ana, everyone], 10)  # lacked both, and is not asked while 1 waits
        other.settle(0)
        await turns()
        assert queue.treasury.wanted_of([everyone]) == [everyone]
        Someone(queue, "ben", [everyone], 10)
        await turns()
        assert queue.went == ["ben"]
        held.settle(0)
        await turns()
        assert queue.went == ["ben", "ana 1", "ana 2"]

    play(project_folder, scene)


def test_marks_are_told_with_what_was_spent(project_folder: Path):
    async def scene(queue: Queue) -> None:
        fund = queue.fund("a")
        queue.held([fund], 40).settle(40)
        assert queue.alerts == []
        queue.held([fund], 20).settle(20)
        queue.held([fund], 40).settle(40)
        assert [alert.facts["share"] for alert in queue.alerts] == [0.5, 1.0]
        assert queue.alerts[0].facts["spent_nanousd"] == 60
        assert "has passed 50%" in queue.alerts[0].message
        assert "is used up" in queue.alerts[1].message
        await turns()

    play(project_folder, scene)
