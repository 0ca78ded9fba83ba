"""Rows in which the provider is slow, silent, or away for a long time."""

import asyncio
from typing import Final

import msgspec

from trimtab.testing.calls import Call
from trimtab.testing.faults import FAULTS
from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.heard import Heard
from trimtab.testing.scorecard.project import BASELINE
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.scorecard.tale import Tale
from trimtab.testing.script import Behaviour
from trimtab.types.clock import SystemClock

__all__ = ["SILENT"]

_LATE_S: Final = 0.5  # how late a limit may be noticed; not scaled
_GAP_S: Final = 1.0
_MOST_CPU_SHARE: Final = 0.05
_RETRY_WAITS_S: Final = 1.5  # at most, for two retries; they are the gateway's, so not scaled
_OUTAGE_S: Final = 60.0  # of FAULTS["S15"]
_EVERY_S: Final = 4.0
_BACK_WITHIN_S: Final = 30.0
_MOST_IN_OUTAGE: Final = 12  # without a breaker there would be three for each request: 45

_ROLE_FIRST = msgspec.structs.replace(FAULTS["S07"][0], role_first=True)
_SIXTY = (Behaviour(tokens=60),)


async def _silent(scene: Scene) -> str:
    async with asyncio.TaskGroup() as group:
        baseline = group.create_task(scene.ask(within_s=scene.s(100)))
        deadline = group.create_task(scene.ask("deadline", within_s=scene.s(30)))
        whole = group.create_task(scene.ask("whole", within_s=scene.s(30), stream=False))
    for task in (baseline, deadline, whole):
        tale = task.result()
        scene.expect(
            len(tale.primary) == 1, f"the silent model was asked {len(tale.primary)} times"
        )
        scene.expect(tale.by == "spare", "the fallback did not serve it")
        outcome = tale.attempts[0].outcome
        scene.expect(outcome == "timeout", f"the silence is recorded as {outcome}")
    for case in ("", "deadline", "whole"):
        await scene.heals(case)
    return (
        f"{baseline.result().says} after {baseline.result().took_s:.1f} s, "
        f"with a deadline after {deadline.result().took_s:.1f} s"
    )


async def _slow_start(scene: Scene) -> str:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(scene.ask(case, within_s=scene.s(15))) for case in ("", "with-role")
        ]
    for task in tasks:
        tale = task.result()
        scene.expect(tale.by == "spare", "the fallback did not serve it")
        error = tale.attempts[0].error_code
        scene.expect(error == "timeout_ttft", f"the wait is recorded as {error}")
    for case in ("", "with-role"):
        await scene.heals(case)
    return f"{tasks[0].result().says} after {tasks[0].result().took_s:.1f} s"


class _IdleCpu:
    """Processor time of the gateway between the last token before a silence and the end of it."""

    def __init__(self, scene: Scene, tokens: int) -> None:
        self._process = scene.served.process
        self._tokens = tokens
        self._begin: tuple[float, float] | None = None

    def watch(self, heard: Heard) -> None:
        """Note where the silence begins."""
        if self._begin is None and heard.tokens >= self._tokens:
            self._begin = self._read()

    def share(self) -> float | None:
        """Seconds of processor time for each second since then; None where nobody can tell."""
        now = self._read()
        if now is None or self._begin is None:
            return None
        return (now[0] - self._begin[0]) / (now[1] - self._begin[1])

    def _read(self) -> tuple[float, float] | None:
        used_s = self._process.cpu_s() if self._process is not None else None
        return None if used_s is None else (used_s, SystemClock.monotonic_s())


async def _stalled(scene: Scene) -> str:
    cpu = _IdleCpu(scene, tokens=20)
    bound_s = scene.s(45)
    async with asyncio.TaskGroup() as group:
        goes_on = group.create_task(scene.ask("continues", within_s=bound_s, watch=cpu.watch))
        ends = group.create_task(scene.ask("ends", within_s=bound_s, expected="error"))
        limited = group.create_task(
            scene.ask("limit", within_s=scene.s(15) + _LATE_S, expected="error")
        )
    share = cpu.share()
    scene.expect(goes_on.result().heard.continued_by, "no model went on with it")
    error = limited.result().attempts[0].error_code
    scene.expect(error == "timeout_idle", f"the silence is recorded as {error}")
    if share is not None:
        scene.expect(share < _MOST_CPU_SHARE, f"{share:.0%} of a processor while waiting")
    for case in ("continues", "ends", "limit"):
        await scene.heals(case)
    used = "processor not measured" if share is None else f"{share:.1%} of a processor meanwhile"
    return (
        f"{goes_on.result().says} after {goes_on.result().took_s:.1f} s, else "
        f"{ends.result().says} after {ends.result().took_s:.1f} s; {used}"
    )


def _drip(scene: Scene) -> Behaviour:
    """`FAULTS["X06"]`, at any scale: a token always a second before the idle limit.

    A scaled second is too short for a busy machine, so half a second is the least.
    """
    gap_s = max(scene.s(_GAP_S), _LATE_S)
    every_s = scene.s(BASELINE["idle_s"]) - gap_s
    return Behaviour(tokens=10**9, token_every_s=every_s, honours_max_tokens=False)


async def _dripping(scene: Scene) -> str:
    scene.cast.primary.play(scene.model(), _drip(scene))
    bound_s = scene.s(BASELINE["total_s"]) + _LATE_S
    tale = await scene.ask(within_s=bound_s, expected="error")
    error = tale.attempts[0].error_code
    scene.expect(error == "timeout_total", f"the end is recorded as {error}")
    tokens = tale.attempts[0].usage.output_tokens
    sent = tale.primary[0].tokens_sent
    scene.expect(tokens == sent, f"{tokens} tokens on record, {sent} were sent")
    ended_by = tale.primary[0].ended_by
    scene.expect(ended_by == "caller closed", f"the call upstream ended by {ended_by!r}")
    await scene.heals()
    return f"{tale.says} at the deadline, after {tale.took_s:.1f} s and {sent} tokens"


async def _long_outage(scene: Scene) -> str:
    tales: list[Tale] = []
    begun_s = SystemClock.monotonic_s()
    back_s = begun_s + scene.s(_OUTAGE_S)

    async def ask() -> None:
        tales.append(await scene.ask(within_s=scene.s(_EVERY_S) + _RETRY_WAITS_S + _LATE_S))

    async with asyncio.TaskGroup() as group:
        asked = 0
        while not _served_again(scene, back_s):
            due_s = begun_s + asked * scene.s(_EVERY_S)
            if due_s > back_s + scene.s(_BACK_WITHIN_S):
                break
            await asyncio.sleep(due_s - SystemClock.monotonic_s())
            group.create_task(ask())
            asked += 1
    return _outage_in_words(scene, tales, scene.calls("primary"))


def _served_again(scene: Scene, back_s: float) -> bool:
    calls = scene.calls("primary")
    return any(call.ended_by == "complete" and call.tokens_sent for call in calls[-1:]) and (
        SystemClock.monotonic_s() > back_s
    )


def _outage_in_words(scene: Scene, tales: list[Tale], calls: list[Call]) -> str:
    failed = [call for call in calls if not call.tokens_sent]
    good = [call for call in calls if call.tokens_sent]
    first_s = min(tale.heard.begun_s for tale in tales)
    scene.expect(len(failed) <= _MOST_IN_OUTAGE, f"{len(failed)} attempts in the outage")
    if not good:
        scene.expect(False, "the first model did not serve again in time")  # noqa: FBT003
        return f"{len(tales)} requests"
    # The outage ends, by the provider's own clock, so long after its first call.
    back_after_s = good[0].started_s - (failed[0].started_s + scene.s(_OUTAGE_S))
    scene.expect(
        back_after_s <= scene.s(_BACK_WITHIN_S), f"back {back_after_s:.1f} s after the recovery"
    )
    in_outage = sum(t.heard.begun_s < first_s + scene.s(_OUTAGE_S) for t in tales)
    return (
        f"all of {in_outage} requests answered with {len(failed)} attempts at the first model; "
        f"back {max(back_after_s, 0):.1f} s after its recovery"
    )


SILENT = (
    Row(
        row_id="S06",
        fault="accepts the request and is silent for 120 s",
        does="moves to the fallback at the first limit that passes, and never asks it again",
        cases=(
            Case(primary=FAULTS["S06"]),
            Case(name="deadline", primary=FAULTS["S06"], timeouts={"ttft_s": 10, "total_s": 30}),
            Case(name="whole", primary=FAULTS["S06"], timeouts={"total_s": 30}),
        ),
        act=_silent,
        slow=True,
    ),
    Row(
        row_id="S07",
        fault="headers at once, the first token after 20 s",
        does="moves to the fallback when `ttft_s` (here 10 s) has passed",
        cases=(
            Case(primary=FAULTS["S07"], timeouts={"ttft_s": 10}),
            Case(
                name="with-role",
                primary=(_ROLE_FIRST,),
                timeouts={"ttft_s": 10},
            ),
        ),
        act=_slow_start,
        slow=True,
    ),
    Row(
        row_id="S09",
        fault="a stream that is silent for 30 s after 20 tokens, then closes",
        does="a fallback that can goes on with it, else a clear error",
        cases=(
            Case(name="continues", primary=FAULTS["S09"], spare=_SIXTY, continues=True),
            Case(name="ends", primary=FAULTS["S09"], spare=_SIXTY),
            Case(name="limit", primary=FAULTS["S09"], spare=_SIXTY, timeouts={"idle_s": 15}),
        ),
        act=_stalled,
        slow=True,
        own=True,
    ),
    Row(
        row_id="S15",
        fault="503 for 60 s, then healthy; a request every 4 s",
        does="the fallback answers; a breaker leaves the model alone, probes, and comes back",
        cases=(Case(primary=FAULTS["S15"]),),
        act=_long_outage,
        slow=True,
    ),
    Row(
        row_id="X06",
        fault="a token every 29 s, for ever",
        does="ends it at `total_s` with a clear error",
        cases=(Case(),),
        act=_dripping,
        slow=True,
    ),
)
