"""The row in which the provider sends more than anyone can want."""

import asyncio
from typing import Final

import msgspec

from trimtab.testing.faults import FAULTS
from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.heard import Heard
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.scorecard.tale import Tale
from trimtab.testing.script import Behaviour

__all__ = ["LARGE"]

_MB: Final = 1_000_000
_MOST_GROWTH_MB: Final = 150
_SOON_S: Final = 10.0
_TOTAL_S: Final = 5.0
_LATE_S: Final = 1.0

# In pieces, so that the provider notices when nobody takes them any more.
_EVENT = msgspec.structs.replace(FAULTS["X05-event"][0], segment_bytes=1 << 16)


async def _too_much(scene: Scene) -> str:
    process = scene.served.process
    before = process.peak_bytes() if process is not None else None
    scene.cast.primary.play(scene.model("body"), _too_large_body())
    tales: list[Tale] = []
    for case, stream in (("event", True), ("header", True), ("header", False), ("body", False)):
        tale = await scene.ask(case, within_s=_SOON_S, stream=stream)
        scene.expect(tale.by == "spare", f"{case}: the fallback did not serve it")
        tales.append(tale)
    bound_s = scene.s(_TOTAL_S) + _LATE_S
    tales.append(await scene.ask("endless", within_s=bound_s, expected="error", max_tokens=20))
    tales.append(await _unread(scene, bound_s))
    for tale in tales:
        call = tale.primary[0]
        scene.expect(call.ended_by == "caller closed", f"upstream ended by {call.ended_by!r}")
        scene.expect(tale.attempts[0].outcome != "ok", "recorded as ok")
    after = process.peak_bytes() if process is not None else None
    for case in ("event", "header", "body", "endless", "unread"):
        await scene.heals(case)
    if before is None or after is None:
        return "refused; memory not measured"
    grown_mb = (after - before) / _MB
    scene.expect(grown_mb < _MOST_GROWTH_MB, f"memory grew by {grown_mb:.0f} MB")
    return f"{tales[0].says}; endless: {tales[-2].says}; memory grew by {grown_mb:.0f} MB"


def _too_large_body() -> Behaviour:
    """A whole answer that begins like JSON and goes on; made when it is needed."""
    return Behaviour(body="{" + " " * (90 * _MB), segment_bytes=1 << 16)


async def _unread(scene: Scene, bound_s: float) -> Tale:
    """A caller that reads nothing until the deadline is over: nobody may collect it meanwhile."""
    async with scene.line("unread", max_tokens=20) as (line, user):
        await line.read(_has_begun)
        await asyncio.sleep(bound_s)
        async with asyncio.timeout(_SOON_S):
            heard = await line.read()
    tale = await scene.tale(user, heard)
    scene.expect(not heard.seems_complete, "an endless answer was presented as success")
    return tale


def _has_begun(heard: Heard) -> bool:
    return heard.tokens > 0


LARGE = (
    Row(
        row_id="X05",
        fault="a 40 MB event; 40 MB of headers; a stream that never ends",
        does="refuses it in bounded memory and closes the call",
        cases=(
            Case(name="event", primary=(_EVENT,)),
            Case(name="header", primary=FAULTS["X05-header"]),
            Case(name="body"),
            Case(name="endless", primary=FAULTS["X05-endless"], timeouts={"total_s": _TOTAL_S}),
            Case(name="unread", primary=FAULTS["X05-endless"], timeouts={"total_s": _TOTAL_S}),
        ),
        act=_too_much,
        own=True,
    ),
)
