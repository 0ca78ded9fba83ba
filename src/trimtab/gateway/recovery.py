"""What is done about a failed attempt, and about one of two: on with another, or the end.

The better half of an inference, where all goes well, is in `inference.py`.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable

from typing_extensions import override

from trimtab.errors import (
    CallerGone,
    LedgerUnavailable,
    ProviderError,
    ProviderTimeout,
    ShuttingDown,
    Superseded,
    TrimtabError,
)
from trimtab.gateway.attempt import Attempt, AttemptOwner
from trimtab.gateway.call import Call
from trimtab.gateway.hedging import Hedging
from trimtab.gateway.ladder import Ladder, Step
from trimtab.gateway.outlet import Outlet
from trimtab.gateway.purse import Purse
from trimtab.gateway.reliability import Reliability
from trimtab.gateway.replay import replay
from trimtab.gateway.response_cache import Found
from trimtab.gateway.reuse import Keeper
from trimtab.gateway.seat import Seat
from trimtab.gateway.spawn import Spawn
from trimtab.gateway.transcript import Transcript
from trimtab.spend.limits import Lease
from trimtab.store.protocol import Ledger
from trimtab.store.receipt import Receipt
from trimtab.types.clock import Clock
from trimtab.types.records import Cause

__all__ = ["OnOver", "Recovery"]

OnOver = Callable[["Recovery"], None]
"""Called once when an inference is over and its caller knows."""


_APPEND_LIMIT_S = 5.0


class Recovery(AttemptOwner):
    """The state of one inference, and the way down its ladder.

    Attributes:
        purse: what it may spend; None where no budget has a say. Set before it begins.
        lease: its place in the limits of its user and key; None where nothing is limited. Set in
            the step in which it begins.
        answered: the mark of the request, once its caller has had an answer; 0 until then.
    """

    purse: Purse | None = None
    lease: Lease | None = None
    answered = 0

    # Where most inferences leave them, so that not each one pays for setting them.
    _number = 0
    _over = False
    _gone = False
    _lead: Attempt | None = None
    _rival: Attempt | None = None
    _hedging: Hedging | None = None
    _pause: asyncio.Future[None] | None = None
    _settled_s: float | None = None
    _told: ProviderError | None = None
    _repaired = False
    _cost_so_far_nanousd = 0
    seat: Seat | None = None

    _spawn: Spawn
    _on_over: OnOver

    def __init__(
        self,
        call: Call,
        outlet: Outlet,
        *,
        ledger: Ledger,
        clock: Clock,
        reliability: Reliability,
        keeper: Keeper | None = None,
    ) -> None:
        self._call = call
        self._outlet = outlet
        self._ledger = ledger
        self._clock = clock
        self._keeper = keeper
        self._ladder = Ladder(call, reliability)
        self._tally = reliability.tally
        if call.target.policy.hedge is not None:
            self._hedging = Hedging(call, call.target.policy.hedge, reliability)
        self._transcript = Transcript(call, kept=keeper is not None)

    def stop(self) -> None:
        """End it now, because the process ends."""
        self._end_wait()
        error = ShuttingDown("The gateway was stopped in mid-answer. Try again elsewhere.")
        for attempt in (self._rival, self._lead):
            if attempt is not None and not attempt.settling:
                attempt.settling = True
                attempt.abandon(at_once=True)
                self._record(attempt, error, final=attempt is self._lead)
        self._finish(error)

    def check_time(self) -> None:
        """Tell the caller if the ledger takes too long over the settle; it goes on trying."""
        settled_s = self._settled_s
        if settled_s is not None and self._clock.monotonic_s() - settled_s > _APPEND_LIMIT_S:
            self._finish(
                LedgerUnavailable("The ledger cannot be written at present. Try again shortly.")
            )

    # ------------------------------------------------------------ the other half

    @abstractmethod
    def _start(self, step: Step, *, beside: bool = False) -> None:
        """Make one attempt; `beside` another one that is under way."""

    @abstractmethod
    def _show(self, attempt: Attempt) -> None:
        """Begin to pass on a stream, if it has something to show."""

    @abstractmethod
    def _record(self, attempt: Attempt, error: Exception | None, *, final: bool) -> Receipt:
        """Write down what an attempt came to."""

    @abstractmethod
    def _cost_nanousd(self, attempt: Attempt, error: Exception) -> int:
        """What a failed attempt cost."""

    @abstractmethod
    def _finish(self, error: Exception | None) -> None:
        """It is over, whichever way. Only the first time counts."""

    # ------------------------------------------------------------ a failure

    @override
    def on_failed(self, attempt: Attempt, error: Exception) -> None:
        """End an attempt, and see what is to be done about it."""
        if attempt.settling:
            return
        attempt.settling = True
        attempt.abandon()
        if self._hedging is not None and isinstance(error, ProviderTimeout):
            self._hedging.observe(attempt, self._clock.monotonic_s())
        if attempt.stale:
            self._ladder.give_up(attempt.step)
        else:
            self._ladder.judge(attempt.step, error, began_s=attempt.begun_s)
        if isinstance(error, ProviderError) and self._ladder.began(attempt.step.place):
            self._told = error
        other = self._rival if attempt is self._lead else self._lead
        if other is not None and not other.settling and not isinstance(error, LedgerUnavailable):
            self._lead, self._rival = other, None
            attempt.give_back()
            self._record(attempt, error, final=False)
            if isinstance(error, ProviderTimeout) and not other.opened:
                self._beside("fallback")  # the other one may be silent, too
            return
        self._spawn(self._recover(attempt, error))

    def _beside(self, cause: Cause) -> bool:
        """Make another attempt beside the one that is under way, if there is a rung for it."""
        step = self._ladder.beside(cause)
        if step is None:
            return False
        try:
            self._start(step, beside=True)
        except TrimtabError:  # the first one goes on, as if this had never been thought of
            self._rival = None
            self._ladder.give_up(step)
        return True

    async def _recover(self, attempt: Attempt, error: Exception) -> None:
        """Settle a failed attempt, and then go on elsewhere or tell the caller."""
        try:
            await attempt.read_out()
            if isinstance(error, LedgerUnavailable):
                # The provider may have worked: the ledger takes the intent in with the settle.
                if attempt.sent_s or attempt.number > 1:
                    self._record(attempt, error, final=True)
                raise error  # noqa: TRY301 - the way of all that ends an inference
            attempt.give_back()
            if not attempt.sent_s:
                await attempt.intent
            if not await self._goes_on(attempt, error):
                await self._end_with(attempt, error)
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of a defect, too
            self._finish(problem)

    async def _goes_on(self, attempt: Attempt, error: Exception) -> bool:
        """Make the attempt that follows a failed one, if there is one."""
        if not isinstance(error, ProviderError) or self._over:
            return False
        step = self._next_step(attempt, error)
        if step is None:
            return False
        if step.wait_s:
            self._pause = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._pause], timeout=step.wait_s)
        if self._gone or self._over:
            self._ladder.give_up(step)
            return False
        if attempt.grant is not None:  # what it did not use may be needed for the next one
            attempt.grant.settle(self._cost_nanousd(attempt, error))
        try:
            self._start(step)
        except TrimtabError:  # what ended the attempt before is what the caller hears
            self._ladder.give_up(step)
            return False
        self._record(attempt, error, final=False)
        return True

    def _next_step(self, attempt: Attempt, error: ProviderError) -> Step | None:
        if attempt.stale and (step := self._ladder.anew(attempt.step.place)) is not None:
            return step
        if not self._outlet.started:
            return self._ladder.after(error, attempt.step.place, self._clock.monotonic_s())
        if self._call.may_continue and self._transcript.take_over(attempt):
            return self._ladder.after_shown(error, attempt.step.place)
        return None

    def _end_wait(self) -> None:
        """The caller leaves, or the process ends: no attempt is waited for any more."""
        if self._pause is not None and not self._pause.done():
            self._pause.set_result(None)

    async def _end_with(self, attempt: Attempt, error: Exception) -> None:
        """Nothing helps any more: settle, and tell the caller what went wrong first."""
        if self._gone:
            error = CallerGone("The caller closed the connection.")
        stale = self._stale() if isinstance(error, ProviderError) else None
        if stale is not None:
            self._record(attempt, error, final=False)
            await self._give_stale(stale)
            return
        appended = self._record(attempt, error, final=True)
        await attempt.intent
        if not self._over:
            self._show(attempt)  # what came before the failure
        await appended
        self._finish(error if self._told is None or self._gone else self._told)

    def _stale(self) -> Found | None:
        """An old answer, which is better than none."""
        if self._keeper is None or self._outlet.started or self._over:
            return None
        return self._keeper.stale()

    async def _give_stale(self, found: Found) -> None:
        """Give an old answer, and say so."""
        try:
            await replay(
                self._call,
                found,
                number=self._number + 1,
                cause="stale",
                ledger=self._ledger,
                tally=self._tally,
                clock=self._clock,
                outlet=self._outlet,
            )
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            self._finish(error)
        else:
            self._finish(None)

    def _lose(self, attempt: Attempt) -> None:
        """End an attempt that another one of this inference has beaten."""
        error = Superseded("Another attempt was faster.")
        if self._hedging is not None:
            self._hedging.observe(attempt, self._clock.monotonic_s())
        attempt.settling = True
        attempt.abandon(at_once=True)
        attempt.give_back()
        self._ladder.give_up(attempt.step)
        self._record(attempt, error, final=False)
