"""Rows in which the fault is on the gateway's own side: it is killed or stopped."""

import asyncio
from typing import Final

from trimtab.archive import verify_store
from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.heard import Heard
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.script import Behaviour
from trimtab.types.clock import NS_PER_S, SystemClock

__all__ = ["OWN_END"]

_SOON_S: Final = 10.0
_LATE_S: Final = 1.0
_DRAIN_S: Final = 10.0
_SHOWN: Final = 5
_A_DAY_NS: Final = 24 * 3600 * NS_PER_S

_STREAM = Behaviour(tokens=30, token_every_s=0.1)
_ENDLESS = Behaviour(tokens=10**9, token_every_s=0.1, honours_max_tokens=False)


def _under_way(heard: Heard) -> bool:
    return heard.tokens >= _SHOWN


async def _killed_and_stopped(scene: Scene) -> str:
    hold_nanousd = await _killed(scene)
    drained_s = await _stopped(scene)
    report = await asyncio.to_thread(verify_store, scene.process.folder / "trimtab.toml")
    scene.expect(report.ok, f"the ledger does not verify: {report.findings[:3]}")
    scene.expect(report.unsettled == 1, f"{report.unsettled} attempts are unsettled, 1 was open")
    return (
        f"killed: shown as unsettled at {hold_nanousd} nano-dollars; stopped: the stream "
        f"finished, an endless one was told after {drained_s:.1f} s"
    )


async def _killed(scene: Scene) -> int:
    """SIGKILL in mid-stream, and a start on what is left."""
    async with scene.line("stream") as (line, user):
        await line.read(_under_way)
        await scene.process.kill()
        heard = await line.read()
    scene.attempts += 1
    scene.expect(not heard.seems_complete, "a truncated answer was presented as success")
    await scene.start_again()
    now_ns = SystemClock.wall_ns()
    found = await asyncio.to_thread(
        scene.served.reader.unsettled, now_ns - _A_DAY_NS, now_ns + _A_DAY_NS
    )
    mine = [known for known in found if known.intent.caller.user == user]
    scene.expect(len(mine) == 1 and not mine[0].in_flight, f"{len(mine)} open intents are shown")
    await scene.heals("stream")
    hold_nanousd = sum(known.intent.hold_nanousd for known in mine)
    scene.expect(hold_nanousd > 0, "the open intent is shown at no cost")
    return hold_nanousd


async def _stopped(scene: Scene) -> float:
    """SIGTERM with a stream that finishes in time, and one that does not."""
    scene.cast.primary.play(scene.model("stream"), scene.scaled(_STREAM))
    async with scene.line("stream") as (line, user), scene.line("endless") as (other, late_user):
        for each in (line, other):
            await each.read(_under_way)
        scene.process.terminate()
        told_s = SystemClock.monotonic_s()
        async with asyncio.timeout(scene.s(_DRAIN_S) + _SOON_S), asyncio.TaskGroup() as group:
            finished, cut = group.create_task(line.read()), group.create_task(other.read())
        code = await scene.process.wait()
    scene.expect(code == 0, f"it ended with {code}")
    tale = await scene.tale(user, finished.result())
    scene.check("stream", tale, within_s=scene.s(_DRAIN_S), expected="answer")
    late = await scene.tale(late_user, cut.result())
    drained_s = late.heard.ended_s - told_s
    bound_s = scene.s(_DRAIN_S) + _LATE_S
    scene.check("endless", late, within_s=late.took_s, expected="error")
    scene.expect(drained_s <= bound_s, f"the end took {drained_s:.1f} s")
    await scene.start_again()
    for case in ("stream", "endless"):
        await scene.heals(case)
    return drained_s


OWN_END = (
    Row(
        row_id="X10",
        fault="the gateway is killed in mid-stream; is told to stop",
        does="loses no record: open calls are shown as unsettled; streams finish in `drain_s`",
        cases=(
            Case(name="stream", primary=(_STREAM,)),
            Case(name="endless", primary=(_ENDLESS,)),
        ),
        act=_killed_and_stopped,
        own=True,
        elsewhere=False,
        slow=True,
    ),
)
