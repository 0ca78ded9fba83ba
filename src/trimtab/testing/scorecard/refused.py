"""Rows in which the provider answers with an error, or with none at all."""

from itertools import pairwise
from typing import Final

from trimtab.testing.calls import Call
from trimtab.testing.faults import FAULTS
from trimtab.testing.scorecard.case import HEALTHY, Case
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.scorecard.tale import Tale
from trimtab.testing.script import Behaviour, Event

__all__ = ["REFUSED"]

# The gateway's own waits between retries are not of the project, so nothing here is scaled.
_SOON_S: Final = 5.0
_ASKED_WAIT_S: Final = 2.0
_LEAST_WAIT_S: Final = 1.8
_MOST_ATTEMPTS: Final = 6
_WINDOW_S: Final = 3.0
_MOST_IN_WINDOW: Final = 4
_MS: Final = 0.001

_OVERLOADED = {"message": "overloaded", "type": "overloaded_error", "param": None, "code": 529}
_AFTER_ROLE = Behaviour(events=(Event(at=1, data={"error": _OVERLOADED}, last=True),))


def _gaps_s(calls: list[Call]) -> list[float]:
    return [after.started_s - before.started_s for before, after in pairwise(calls)]


def _most_in_window(calls: list[Call], window_s: float) -> int:
    times = [call.started_s for call in calls]
    return max(sum(begin <= time < begin + window_s for time in times) for begin in times)


async def _asked_to_wait(scene: Scene) -> str:
    both = await scene.ask(within_s=_SOON_S)
    alone = await scene.ask("alone", within_s=_SOON_S)
    for tale in (both, alone):
        gaps_s = _gaps_s(tale.primary)
        scene.expect(
            all(gap_s >= _LEAST_WAIT_S for gap_s in gaps_s),
            f"asked the same model again after {min(gaps_s, default=0):.2f} s",
        )
    scene.expect(len(alone.primary) == 2, f"{len(alone.primary)} attempts, 2 were due")
    for case in ("", "alone"):
        await scene.heals(case)
    waited = f"waited {_gaps_s(alone.primary)[0]:.1f} s" if len(alone.primary) > 1 else "no wait"
    return f"{both.says} after {both.took_s:.1f} s; without a fallback {waited}"


async def _always_busy(scene: Scene) -> str:
    both = await scene.ask(within_s=_SOON_S)
    alone = await scene.ask("alone", within_s=_SOON_S, expected="error")
    for tale in (both, alone):
        _expect_few(scene, tale)
        most = _most_in_window(tale.primary, _WINDOW_S)
        scene.expect(most <= _MOST_IN_WINDOW, f"{most} attempts in {_WINDOW_S:g} s")
    scene.expect(both.by == "spare", "the fallback was not asked")
    scene.expect(alone.heard.status == 429, f"status {alone.heard.status} in place of 429")
    pairs = zip(_gaps_s(both.primary), _gaps_s(alone.primary), strict=False)
    scene.expect(any(abs(a - b) > _MS for a, b in pairs), "the waits have no jitter")
    for case in ("", "alone"):
        await scene.heals(case)
    return f"{both.says} after {len(both.primary)} attempts in {both.took_s:.1f} s"


def _expect_few(scene: Scene, tale: Tale) -> None:
    made = len(tale.attempts)
    scene.expect(made <= _MOST_ATTEMPTS, f"{made} attempts, {_MOST_ATTEMPTS} are the most")


async def _failed_once(scene: Scene) -> str:
    tale = await scene.ask(within_s=_SOON_S)
    scene.expect(
        (len(tale.primary), len(tale.spare)) == (2, 0),
        f"{len(tale.primary)} attempts at the model and {len(tale.spare)} at the fallback",
    )
    await scene.heals()
    return f"{tale.says} at the second attempt"


async def _always_away(scene: Scene) -> str:
    both = await scene.ask(within_s=_SOON_S)
    alone = await scene.ask("alone", within_s=_SOON_S, expected="error")
    for tale in (both, alone):
        _expect_few(scene, tale)
    scene.expect(both.by == "spare", "the fallback was not asked")
    heard = alone.heard
    scene.expect(
        (heard.status, (heard.error or {}).get("message")) == (503, "scripted 503"),
        f"not the original error: status {heard.status}, {heard.error}",
    )
    for case in ("", "alone"):
        await scene.heals(case)
    return f"{both.says} after {len(both.primary)} attempts; without one the original 503"


async def _reset_once(scene: Scene) -> str:
    tale = await scene.ask(within_s=_SOON_S)
    alone = await scene.ask("alone", within_s=_SOON_S)
    for case in ("", "alone"):
        await scene.heals(case)
    return f"{tale.says}; without a fallback {alone.says}"


async def _too_long(scene: Scene) -> str:
    larger = await scene.ask("larger", within_s=_SOON_S)
    equal = await scene.ask("equal", within_s=_SOON_S, expected="error")
    alone = await scene.ask("alone", within_s=_SOON_S, expected="error")
    for tale in (larger, equal, alone):
        scene.expect(len(tale.primary) == 1, f"{len(tale.primary)} attempts at that model")
    scene.expect(larger.by == "spare", "the model with the larger context was not asked")
    scene.expect(not equal.spare, "a model with no larger context was asked")
    for tale in (equal, alone):
        code = (tale.heard.error or {}).get("code")
        scene.expect(code == "context_length_exceeded", f"the error that came back is {code}")
    for case in ("larger", "equal", "alone"):
        await scene.heals(case)
    return "one attempt; answered by a model with a larger context, else the error"


async def _filtered(scene: Scene) -> str:
    tale = await scene.ask(within_s=_SOON_S, expected="either")
    scene.expect(len(tale.primary) == 1, f"{len(tale.primary)} attempts at that model")
    error = tale.heard.error or {}
    if not tale.heard.seems_complete:
        scene.expect(
            error.get("code") == "content_filter" and "content policy" in error.get("message", ""),
            f"the provider's reason did not reach the caller: {error}",
        )
    await scene.heals()
    return f"one attempt; {tale.says}, with the provider's reason"


async def _served_by_the_fallback(scene: Scene) -> str:
    stream = await scene.ask("stream", within_s=_SOON_S)
    whole = await scene.ask("whole", within_s=_SOON_S, stream=False)
    for tale in (stream, whole):
        failed = [a for a in tale.attempts if a.provider == "primary"]
        scene.expect(failed, "the failed attempts are not on record")
        for attempt in failed:
            told = (attempt.outcome, attempt.status, attempt.cost_nanousd)
            scene.expect(told == ("error", 503, 0), f"a failed attempt is recorded as {told}")
        scene.expect(tale.by == "spare", "the fallback did not serve it")
    cost = whole.heard.headers.get("x-trimtab-cost-nanousd")
    scene.expect(cost == str(whole.event.cost_nanousd), f"the caller was told a cost of {cost}")
    for case in ("stream", "whole"):
        await scene.heals(case)
    return f"model and usage of the fallback; {len(stream.attempts) - 1} failed attempts at cost 0"


async def _error_in_the_stream(scene: Scene) -> str:
    once = await scene.ask("once", within_s=_SOON_S)
    always = await scene.ask("always", within_s=_SOON_S)
    scene.expect(always.by == "spare", "the fallback did not serve it")
    after_role = await scene.ask("after-role", within_s=_SOON_S)
    for tale in (once, always, after_role):
        outcome = tale.attempts[0].outcome
        scene.expect(outcome == "error", f"the first attempt is recorded as {outcome}")
    for case in ("once", "always", "after-role"):
        await scene.heals(case)
    return f"once: {once.says}; always: {always.says}"


async def _error_as_200(scene: Scene) -> str:
    whole = await scene.ask("whole", within_s=_SOON_S, stream=False)
    stream = await scene.ask("stream", within_s=_SOON_S)
    for tale in (whole, stream):
        outcome = tale.attempts[0].outcome
        scene.expect(outcome == "error", f"the first attempt is recorded as {outcome}")
        scene.expect(tale.by == "spare", "the fallback did not serve it")
    for case in ("whole", "stream"):
        await scene.heals(case)
    return whole.says


REFUSED = (
    Row(
        row_id="S01",
        fault="429 with `Retry-After: 2` once, then healthy",
        does="moves to the fallback; without one it waits the 2 s",
        cases=(
            Case(primary=FAULTS["S01"]),
            Case(name="alone", primary=FAULTS["S01"], spare=()),
        ),
        act=_asked_to_wait,
        slow=True,
    ),
    Row(
        row_id="S02",
        fault="429 without `Retry-After`, every time",
        does="backs off with jitter, then the fallback",
        cases=(Case(primary=FAULTS["S02"]), Case(name="alone", primary=FAULTS["S02"], spare=())),
        act=_always_busy,
        slow=True,
    ),
    Row(
        row_id="S03",
        fault="one 500, then healthy",
        does="tries the same model once more",
        cases=(Case(primary=FAULTS["S03"]),),
        act=_failed_once,
    ),
    Row(
        row_id="S04",
        fault="503, every time",
        does="moves to the fallback after its retries; without one the original error",
        cases=(Case(primary=FAULTS["S04"]), Case(name="alone", primary=FAULTS["S04"], spare=())),
        act=_always_away,
        slow=True,
    ),
    Row(
        row_id="S05",
        fault="TCP reset before any byte, then healthy",
        does="asks again elsewhere, or there",
        cases=(
            Case(primary=FAULTS["S05"]),
            Case(name="alone", primary=FAULTS["S05"], spare=()),
        ),
        act=_reset_once,
    ),
    Row(
        row_id="S12",
        fault="400 `context_length_exceeded`, every time",
        does="asks that model once, then one with a larger context, else the error",
        cases=(
            Case(name="larger", primary=FAULTS["S12"], windows=(8_192, 100_000)),
            Case(name="equal", primary=FAULTS["S12"], windows=(8_192, 8_192)),
            Case(name="alone", primary=FAULTS["S12"], spare=()),
        ),
        act=_too_long,
    ),
    Row(
        row_id="S13",
        fault="400 content filter, every time",
        does="asks that model once, and passes its reason on",
        cases=(Case(primary=FAULTS["S13"]),),
        act=_filtered,
    ),
    Row(
        row_id="S16",
        fault="503, every time; the fallback answers",
        does="tells the model and the usage of the fallback; failures are on record and cost 0",
        cases=(
            Case(name="stream", primary=FAULTS["S16"]),
            Case(name="whole", primary=FAULTS["S16"]),
        ),
        act=_served_by_the_fallback,
        slow=True,
    ),
    Row(
        row_id="X01",
        fault="200 whose first event is an error object",
        does="takes it for the failure that it is",
        cases=(
            Case(name="once", primary=(*FAULTS["X01"], *HEALTHY)),
            Case(name="always", primary=FAULTS["X01"]),
            Case(name="after-role", primary=(_AFTER_ROLE,)),
        ),
        act=_error_in_the_stream,
        slow=True,
    ),
    Row(
        row_id="X02",
        fault="200 with an error body, not streamed",
        does="takes it for the failure that it is",
        cases=(
            Case(name="whole", primary=FAULTS["X02"]),
            Case(name="stream", primary=FAULTS["X02"]),
        ),
        act=_error_as_200,
        slow=True,
    ),
)
