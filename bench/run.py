"""The run: start everybody, interleave the rounds, count memory at the end."""

import asyncio
import gc
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench.accounting import core_busy_us, waited_us
from bench.contenders import DIRECT, OURS, Contender
from bench.load import Target, run_load
from bench.loads import LOADS, SEQUENTIAL, WHOLE, Load
from bench.processes import BenchError, Running, launched, prepared
from bench.provider import Provider
from bench.results import MEMORY_ANSWERS, Figures, Results, figures_of
from bench.spin import Spin

__all__ = ["Plan", "run_bench"]

_START_LIMIT_S = 90.0
_TRY_EVERY_S = 0.002
# What a gateway does after its answers belongs to them; trimtab's projector looks once a second.
_SETTLE_S = 1.3
_WARM_S = 3.0  # of slow contenders; fast ones begin with 20,000 requests
_LIMIT_S = 120.0
_THOROUGH = 3  # rounds from which starts are repeated and 100,000 requests are made


class Plan(NamedTuple):
    """How much is measured."""

    rounds: int
    slow_rounds: int
    scale: float  # of the seconds of every load
    memory_s: float  # for the 20,000 requests of a slow contender
    loads: Sequence[Load] = LOADS


class Bench:
    """What the parts of a run share."""

    def __init__(self, plan: Plan, folder: Path, *, core: int, say: Callable[[str], None]) -> None:
        self.plan = plan
        self.spin = Spin()
        self.provider = Provider(self.spin)
        self.port = 0
        self.results = Results({}, {}, {}, {})
        self.running: dict[str, Running] = {}
        self.served: dict[str, int] = {}
        self._folder = folder
        self._core = core
        self._say = say

    async def start(self, contender: Contender, stack: ExitStack) -> None:
        """Start it as often as it wants; the last one stays. Times are spawn to first 200."""
        starts = contender.starts if self.plan.rounds >= _THOROUGH else 1
        times: list[float] = []
        for number in range(starts - 1):
            with ExitStack() as inside:
                await self._start_once(contender, number, inside, times=times)
        running = await self._start_once(contender, starts, stack, times=times)
        self.running[contender.name] = running
        self.results.starts_s[contender.name] = times
        await asyncio.sleep(_SETTLE_S)
        self.results.memory_mb[contender.name] = [(1, running.memory_mb())]
        self._say(f"{contender.name}: first answer after {times[-1]:.2f} s")

    async def _start_once(
        self, contender: Contender, number: int, stack: ExitStack, *, times: list[float]
    ) -> Running:
        folder = self._folder / f"{contender.name.lower()}-{number}"
        launch = prepared(contender, folder, provider=self.port)
        begun_s = time.perf_counter()
        running = stack.enter_context(launched(launch, self._core))
        await self._wait_for_200(running)
        times.append(time.perf_counter() - begun_s)
        return running

    async def _wait_for_200(self, running: Running) -> None:
        until_s = time.perf_counter() + _START_LIMIT_S
        said = "no connection"
        while time.perf_counter() < until_s:
            running.check_alive()
            try:
                tally = await run_load(
                    self.spin, running.target, SEQUENTIAL, seconds=_START_LIMIT_S, answers=1
                )
            except OSError:
                await asyncio.sleep(_TRY_EVERY_S)
                continue
            if tally.problem is None:
                return
            said = tally.problem
            await asyncio.sleep(_TRY_EVERY_S)
        raise BenchError(
            f"{running.name} gave no answer 200 within {_START_LIMIT_S:.0f} s; at last: {said}. "
            f"{running.log_tail()}"
        )

    async def measure(
        self, name: str, load: Load, *, seconds: float, answers: int | None = None
    ) -> Figures:
        """One load on one contender."""
        self.provider.think_s = load.think_s
        running = self.running.get(name)
        target = Target(self.port) if running is None else running.target
        gc.collect()
        cpu_before_us = running.cpu_us() if running else 0.0
        busy_us, idle_us, begun_s = core_busy_us(self._core), waited_us(), time.perf_counter()
        try:
            tally = await run_load(self.spin, target, load, seconds=seconds, answers=answers)
        except OSError as error:
            raise BenchError(f"{name} takes no connection any more: {error}") from error
        await asyncio.sleep(_SETTLE_S)
        whole_us = (time.perf_counter() - begun_s) * 1_000_000
        idle_us, busy_us = waited_us() - idle_us, core_busy_us(self._core) - busy_us
        used_us = running.cpu_us() - cpu_before_us if running else 0.0
        self.provider.think_s = 0.0
        if running:
            running.check_alive()
        self.served[name] = self.served.get(name, 0) + len(tally.total_s)
        figures = figures_of(tally, streamed=load.streamed, cpu_us=used_us if running else None)
        return figures._replace(
            foreign=max(0.0, busy_us - used_us) / whole_us, waited=idle_us / whole_us
        )

    async def rounds(self, load: Load, contenders: Sequence[Contender]) -> None:
        """All rounds of one load, contender by contender inside each round."""
        slow = {contender.name for contender in contenders if contender.slow}
        for number in range(self.plan.rounds):
            for name in (DIRECT, *(contender.name for contender in contenders)):
                done = self.results.rounds.setdefault((name, load.key), [])
                if name in slow and number >= self.plan.slow_rounds:
                    continue
                if done and done[-1].problem:
                    continue  # it will not do better the next time
                seconds = load.slow_seconds if name in slow else load.seconds
                figures = await self.measure(name, load, seconds=seconds * self.plan.scale)
                done.append(figures)
                told = figures.problem or f"{figures.answers} answers in {figures.seconds:.1f} s"
                self._say(f"{load.title}, round {number + 1}: {name}: {told}")

    async def fill(self, contender: Contender, answers: int, *, seconds: float) -> None:
        """Serve until it has given so many answers, or for so long; then read its memory."""
        name = contender.name
        missing = answers - self.served.get(name, 0)
        if missing > 0:
            await self.measure(name, WHOLE, seconds=seconds, answers=missing)
        at = (self.served[name], self.running[name].memory_mb())
        self.results.memory_mb[name].append(at)
        self._say(f"{name}: {at[1]:.0f} MB after {at[0]:,} requests")


async def run_bench(
    plan: Plan,
    contenders: Sequence[Contender],
    folder: Path,
    *,
    core: int,
    say: Callable[[str], None],
) -> Results:
    """Measure everybody; gateways run on `core`. Raises BenchError."""
    bench = Bench(plan, folder, core=core, say=say)
    async with bench.spin:
        bench.port = await bench.provider.open()
        with ExitStack() as stack:
            for contender in contenders:
                await bench.start(contender, stack)
            for contender in contenders:
                if contender.slow:
                    await bench.measure(contender.name, WHOLE, seconds=_WARM_S)
                else:
                    await bench.fill(contender, MEMORY_ANSWERS[0], seconds=_LIMIT_S)
            for load in plan.loads:
                await bench.rounds(load, contenders)
            for contender in contenders:
                if contender.slow:
                    await bench.fill(contender, MEMORY_ANSWERS[0], seconds=plan.memory_s)
                elif contender.name == OURS and plan.rounds >= _THOROUGH:
                    await bench.fill(contender, MEMORY_ANSWERS[1], seconds=_LIMIT_S)
        bench.provider.close()
    return bench.results
