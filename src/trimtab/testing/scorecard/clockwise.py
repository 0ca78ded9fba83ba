"""The row in which the wall clock steps back."""

import asyncio
import signal
from typing import Final

from trimtab.archive import verify_store
from trimtab.config.schema import Breakers
from trimtab.testing.scorecard.case import HEALTHY, Case
from trimtab.testing.scorecard.clock import STEP_S
from trimtab.testing.scorecard.heard import Heard
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.scorecard.tale import Tale
from trimtab.testing.script import Behaviour
from trimtab.types.clock import NS_PER_S, SystemClock

__all__ = ["CLOCKWISE"]

_SOON_S: Final = 5.0
_LATE_S: Final = 0.5
_TOTAL_S: Final = 4.0
_SHOWN: Final = 5
_US_PER_S: Final = 1e6
_BREAKERS: Final = Breakers()
_JITTER: Final = 0.1  # of the wait for a probe
_ASK_AGAIN_S: Final = 0.05

_SPANNING = Behaviour(tokens=30, token_every_s=0.1)
_SILENT = Behaviour(headers_after_s=60)
_AWAY = Behaviour(status=503)


async def _steps_back(scene: Scene) -> str:
    begun_ns = SystemClock.wall_ns()
    told: list[Tale] = [await scene.ask("breaker", within_s=_SOON_S) for _ in range(6)]
    opened_s = told[_BREAKERS.failures - 1].heard.ended_s
    scene.expect(not told[-1].primary, "the breaker did not open")
    spans, silent = await _across_the_step(scene)
    told += [spans, silent]
    for tale in (spans, silent):
        recorded_s = tale.event.latency_us / _US_PER_S
        scene.expect(
            abs(recorded_s - tale.took_s) < _LATE_S,
            f"{recorded_s:.1f} s on record, the caller waited {tale.took_s:.1f} s",
        )
    scene.expect(
        silent.took_s >= scene.s(_TOTAL_S), f"the limit passed after {silent.took_s:.1f} s"
    )
    back_s = await _comes_back(scene, told, opened_s)
    told.append(await scene.ask("spans", within_s=_SOON_S))
    await _expect_all_counted(scene, told, begun_ns)
    stepped = abs(told[-1].event.started_ns - SystemClock.wall_ns()) / NS_PER_S
    scene.expect(stepped > STEP_S / 2, "the clock was not stepped")
    return (
        f"a stream goes on, a limit of {scene.s(_TOTAL_S):g} s passed after "
        f"{silent.took_s:.1f} s, a breaker probed after {back_s:.1f} s, every cost is counted"
    )


async def _across_the_step(scene: Scene) -> tuple[Tale, Tale]:
    """The clock steps while a stream is under way and a limit runs."""
    stepped = False

    def step(heard: Heard) -> None:
        nonlocal stepped
        if heard.tokens >= _SHOWN and not stepped:
            stepped = True
            scene.process.send_signal(signal.SIGUSR1)

    bound_s = scene.s(_TOTAL_S) + _LATE_S
    async with asyncio.TaskGroup() as group:
        silent = group.create_task(scene.ask("silent", within_s=bound_s, expected="error"))
        spans = group.create_task(scene.ask("spans", within_s=_SOON_S, watch=step))
    scene.cast.primary.play(scene.model("spans"), *HEALTHY)
    return spans.result(), silent.result()


async def _comes_back(scene: Scene, told: list[Tale], opened_s: float) -> float:
    """Ask until the breaker lets a call through; returns how long that took, in seconds."""
    scene.cast.primary.play(scene.model("breaker"), *HEALTHY)
    open_s = scene.s(_BREAKERS.open_s)
    while True:
        tale = await scene.ask("breaker", within_s=_SOON_S)
        told.append(tale)
        waited_s = tale.heard.begun_s - opened_s
        if tale.primary or waited_s > open_s * (1 + _JITTER) + _LATE_S:
            break
        await asyncio.sleep(_ASK_AGAIN_S)
    scene.expect(tale.primary, f"the breaker did not probe within {waited_s:.1f} s")
    scene.expect(
        waited_s >= open_s * (1 - _JITTER), f"the breaker probed after {waited_s:.1f} s already"
    )
    return waited_s


async def _expect_all_counted(scene: Scene, told: list[Tale], begun_ns: int) -> None:
    """A window around both hours holds every request and every nano-dollar once."""
    step_ns = round(2 * STEP_S * NS_PER_S)
    reader = scene.served.reader
    groups = await asyncio.to_thread(
        reader.usage_by, "total", begun_ns - step_ns, SystemClock.wall_ns() + step_ns
    )
    requests = sum(group.requests for group in groups)
    cost = sum(group.cost_nanousd for group in groups)
    scene.expect(requests == len(told), f"{requests} requests are counted, {len(told)} were made")
    due = sum(tale.event.cost_nanousd for tale in told)
    scene.expect(cost == due, f"{cost} nano-dollars are counted, {due} were spent")
    report = await asyncio.to_thread(verify_store, scene.process.folder / "trimtab.toml")
    scene.expect(report.ok, f"the ledger does not verify: {report.findings[:3]}")


CLOCKWISE = (
    Row(
        row_id="X12",
        fault="the clock steps back an hour",
        does="measures with a clock that only goes forward; every record stays in its window",
        cases=(
            Case(name="spans", primary=(_SPANNING,)),
            Case(name="silent", primary=(_SILENT,), spare=(), timeouts={"total_s": _TOTAL_S}),
            Case(name="breaker", primary=(_AWAY,), policy="retries = 0"),
        ),
        act=_steps_back,
        slow=True,
        own=True,
        elsewhere=False,
        command=("trimtab.testing.scorecard.stepping",),
    ),
)
