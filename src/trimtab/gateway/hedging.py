"""When a second attempt may be made beside the first, for one inference."""

import asyncio
from collections.abc import Callable

from trimtab.config.schema import Hedge
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.gateway.reliability import Reliability

__all__ = ["Hedging"]


class Hedging:
    """Watches how long a first attempt takes to begin, on a route that hedges."""

    __slots__ = ("_call", "_handle", "_hedge", "_reliability")

    def __init__(self, call: Call, hedge: Hedge, reliability: Reliability) -> None:
        self._call = call
        self._hedge = hedge
        self._reliability = reliability
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, fire: Callable[[], None]) -> None:
        """Call `fire` when the first attempt has been slow; not where requests have effects."""
        if self._call.target.policy.side_effects:
            return
        timer = self._reliability.timer(self._call.target.route)
        timer.began()
        delay_s = timer.delay_s(self._hedge, streamed=bool(self._call.request.stream))
        if delay_s is not None:
            self._handle = asyncio.get_running_loop().call_later(delay_s, fire)

    def disarm(self) -> None:
        """It is not wanted any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def takes(self) -> bool:
        """Whether a hedge may be made now; it is counted as made."""
        timer = self._reliability.timer(self._call.target.route)
        if not timer.may_hedge(self._hedge) or not self._reliability.budget.takes():
            return False
        timer.hedged()
        return True

    def observe(self, attempt: Attempt, now_s: float) -> None:
        """Note how long a first attempt took to begin, or how long it has had no beginning.

        Those that a hedge has beaten, and those that ran into a limit, count as well: without them
        the P95 would sink, and more and more would be hedged.
        """
        if attempt.number > 1:
            return
        took_s = (attempt.first_token_s or now_s) - attempt.begun_s
        timer = self._reliability.timer(self._call.target.route)
        timer.observe(took_s, streamed=attempt.stream is not None)
