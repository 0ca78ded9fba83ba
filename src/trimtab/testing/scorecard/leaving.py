"""The row in which the caller leaves."""

from typing import Any, Final

from trimtab.testing.calls import Call
from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.project import PRICES
from trimtab.testing.scorecard.row import Row
from trimtab.testing.scorecard.scene import Scene
from trimtab.testing.script import Behaviour

__all__ = ["LEAVING"]

_AT_ONCE_S: Final = 0.1
_SOON_S: Final = 10.0
_SHOWN: Final = 5
_NANOUSD_PER_TOKEN: Final = 1000

_BEFORE = Behaviour(first_token_after_s=600)
_MIDDLE = Behaviour(tokens=12, stall_after_tokens=_SHOWN, stall_s=600)
_WHOLE = Behaviour(headers_after_s=600)


async def _leaves(scene: Scene) -> str:
    waits_s = [
        await _leave(scene, "before", shown=0),
        await _leave(scene, "middle", shown=_SHOWN),
        await _leave(scene, "whole", shown=0, stream=False),
    ]
    for case in ("before", "middle", "whole"):
        await scene.heals(case)
    return f"upstream closed after {max(waits_s) * 1000:.0f} ms, on record with what was used"


async def _leave(scene: Scene, case: str, *, shown: int, **fields: Any) -> float:  # noqa: ANN401
    """Leave when so many tokens are there; returns how long the call upstream lived on, in s."""
    provider = scene.cast.primary
    async with scene.line(case, **fields) as (line, user):

        def asked() -> list[Call]:
            return scene.calls("primary", user)

        await provider.wait_for(lambda: bool(asked()), timeout_s=_SOON_S)
        if shown:
            await line.read(lambda heard: heard.tokens >= shown)
        left_s = line.leave()
        await provider.wait_for(lambda: bool(asked()[0].ended_by), timeout_s=_SOON_S)
    call = asked()[0]
    assert call.ended_s is not None
    waited_s = call.ended_s - left_s
    scene.expect(call.ended_by == "caller closed", f"{case}: upstream ended by {call.ended_by!r}")
    scene.expect(waited_s <= _AT_ONCE_S, f"{case}: upstream closed after {waited_s:.3f} s")
    await _expect_settled(scene, case, user, shown=shown)
    return waited_s


async def _expect_settled(scene: Scene, case: str, user: str, *, shown: int) -> None:
    _, attempts = await scene.record(user)
    scene.attempts += len(attempts)
    scene.expect(len(attempts) == 1, f"{case}: {len(attempts)} attempts on record")
    attempt = attempts[0]
    told = (attempt.outcome, attempt.usage_source, attempt.usage.output_tokens)
    scene.expect(told == ("cancelled", "estimated", shown), f"{case}: recorded as {told}")
    price_in, price_out = PRICES["primary"]
    tokens = attempt.usage.input_tokens
    due = (price_in * tokens + price_out * shown) * _NANOUSD_PER_TOKEN
    scene.expect(
        tokens > 0 and attempt.cost_nanousd == due,
        f"{case}: {tokens} tokens of input and {shown} of output cost {attempt.cost_nanousd}",
    )


LEAVING = (
    Row(
        row_id="X09",
        fault="the caller leaves: before the first token, in the middle, in a call that is whole",
        does="closes the call upstream at once and settles what was used",
        cases=(
            Case(name="before", primary=(_BEFORE,)),
            Case(name="middle", primary=(_MIDDLE,)),
            Case(name="whole", primary=(_WHOLE,)),
        ),
        act=_leaves,
    ),
)
