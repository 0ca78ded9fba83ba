"""One inference: its attempts in order, or two at a time, and the one answer that comes of them.

Two promises are kept here and nowhere else: no byte reaches the caller before the intent is
durable, and no last frame before the settle is appended.

Where all goes well nothing here waits in a task: attempts and the ledger call back, and each
time what has become possible is done. Only what is rare has a task: a new connection, a failure.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from typing_extensions import override

from trimtab.errors import (
    CallerGone,
    LedgerUnavailable,
    ProviderError,
    ProviderTimeout,
    RouteUnavailable,
    ShuttingDown,
    Superseded,
    TrimtabError,
)
from trimtab.gateway.attempt import Attempt, AttemptOwner
from trimtab.gateway.call import Call
from trimtab.gateway.hedging import Hedging
from trimtab.gateway.ladder import Ladder, Step
from trimtab.gateway.outlet import Outlet, OutletListener
from trimtab.gateway.reliability import Reliability
from trimtab.gateway.replay import kept_answer, replay
from trimtab.gateway.replies import stream_error, stream_headers, taken_over, whole_headers
from trimtab.gateway.response_cache import Found
from trimtab.gateway.reuse import Keeper
from trimtab.gateway.settling import problem_of, settle_of
from trimtab.gateway.spawn import Spawn
from trimtab.gateway.transcript import Transcript
from trimtab.gateway.upstream import UpstreamConnection
from trimtab.store.protocol import Ledger
from trimtab.types.clock import Clock

__all__ = ["Inference", "OnOver"]

_APPEND_LIMIT_S = 5.0

OnOver = Callable[["Inference"], None]
"""Called once when an inference is over and its caller knows."""


class Inference(AttemptOwner, OutletListener):
    """One resolved call on its way to providers and back to its caller."""

    __slots__ = (
        "_call",
        "_clock",
        "_gone",
        "_hedging",
        "_keeper",
        "_ladder",
        "_lead",
        "_ledger",
        "_number",
        "_on_over",
        "_outlet",
        "_over",
        "_pause",
        "_rival",
        "_settled_s",
        "_spawn",
        "_tally",
        "_told",
        "_transcript",
    )

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
        self._ladder: Ladder = reliability.ladder(call)
        self._tally = reliability.tally
        self._hedging = Hedging(call, reliability)
        self._transcript = Transcript(call, kept=keeper is not None)
        self._number = 0
        self._over = False
        self._gone = False
        self._lead: Attempt | None = None
        self._rival: Attempt | None = None
        self._pause: asyncio.Future[None] | None = None
        self._settled_s: float | None = None
        self._told: ProviderError | None = None

    def begin(self, spawn: Spawn, on_over: OnOver) -> None:
        """Start it. It ends by itself, with a call of `on_over`.

        Raises:
            TrimtabError: it could not even begin; `on_over` is not called.
        """
        self._spawn = spawn
        self._on_over = on_over
        if self._outlet.gone:
            raise CallerGone("The caller closed the connection.")
        try:
            step = self._ladder.first()
        except RouteUnavailable:
            stale = self._stale()
            if stale is None:
                raise
            spawn(self._give_stale(stale))
            return
        try:
            self._start(step)
        except TrimtabError:
            self._ladder.give_up(step)
            raise
        self._outlet.listener = self
        self._hedging.arm(self._hedge)

    def stop(self) -> None:
        """End it now, because the process ends."""
        self._end_wait()
        error = ShuttingDown("The gateway was stopped in mid-answer. Try again elsewhere.")
        for attempt in (self._rival, self._lead):
            if attempt is not None and not attempt.settling:
                attempt.settling = True
                attempt.abandon()
                self._record(attempt, error, final=attempt is self._lead)
        self._finish(error)

    def check_time(self) -> None:
        """Tell the caller if the ledger takes too long over the settle; it goes on trying."""
        settled_s = self._settled_s
        if settled_s is not None and self._clock.monotonic_s() - settled_s > _APPEND_LIMIT_S:
            self._finish(
                LedgerUnavailable("The ledger cannot be written at present. Try again shortly.")
            )

    # ------------------------------------------------------------ the way of a good one

    def _start(self, step: Step, *, beside: bool = False) -> None:
        """Make one attempt; `beside` another one that is under way."""
        number = self._number + 1
        attempt = Attempt(
            self._call,
            step=step,
            number=number,
            stream=self._transcript.new_stream(step.cause),
            clock=self._clock,
            owner=self,
        )
        intent = self._ledger.record_intent(
            self._call.intent(
                place=step.place,
                number=number,
                cause=step.cause,
                card=attempt.card,
                now_s=attempt.begun_s,
            )
        )
        self._number = number
        attempt.intent = intent
        if beside:
            self._rival = attempt
        else:
            self._lead = attempt
        intent.add_done_callback(partial(self._on_intent, attempt))
        if attempt.stream is None and self._ladder.rungs_left > 1:
            # It shows no first token; so its time is shared with the rungs that follow.
            attempt.share_with(self._ladder.rungs_left)
        attempt.enter(partial(self._dispatch, attempt))

    def _dispatch(self, attempt: Attempt) -> None:
        try:
            connection = attempt.upstream.pool.take_free()
            if connection is None:
                self._spawn(self._connect(attempt))
            else:
                self._send(attempt, connection)
        except Exception as defect:  # noqa: BLE001 - may be called by another call's end
            self.on_failed(attempt, defect)

    def _send(self, attempt: Attempt, connection: UpstreamConnection) -> None:
        body = self._transcript.body(attempt.rung.ref.model, attempt.step.cause)
        attempt.send(connection, attempt.upstream.request(body))

    def _on_intent(self, attempt: Attempt, intent: asyncio.Future[None]) -> None:
        error = problem_of(intent)
        if error is None:
            attempt.durable = True
            self.on_progress(attempt)
        else:
            self.on_failed(attempt, error)

    @override
    def on_progress(self, attempt: Attempt) -> None:
        """Do what an attempt and the ledger allow by now."""
        if attempt.settling:
            return
        if not attempt.durable:
            if attempt.opened:
                attempt.hold()
            return
        try:
            if attempt.opened or attempt.complete:
                self._lead_with(attempt)
                self._show(attempt)
            if attempt.complete and not attempt.settling:
                self._ladder.judge(attempt.step, None)
                appended = self._record(attempt, self._leaving(), final=True)
                attempt.settling = True  # not before: a defect in recording must still end it
                appended.add_done_callback(partial(self._on_settled, attempt))
        except Exception as defect:  # noqa: BLE001 - called from a socket: nobody else would tell
            self.on_failed(attempt, defect)

    def _lead_with(self, attempt: Attempt) -> None:
        """This attempt has something to show: it is the one that the caller gets."""
        self._hedging.disarm()
        if not attempt.relaying:
            self._hedging.observe(attempt, self._clock.monotonic_s())
        if self._rival is not None:
            loser = self._lead if attempt is self._rival else self._rival
            self._lead, self._rival = attempt, None
            assert loser is not None
            self._lose(loser)

    def _show(self, attempt: Attempt) -> None:
        """Begin to pass on a stream."""
        if not attempt.opened or attempt.relaying:
            return
        if not self._outlet.started:
            headers = stream_headers(self._call, attempt, made=self._number)
            self._outlet.start(200, headers)
        else:
            self._outlet.write(taken_over(attempt))
        new_name = self._transcript.new_name(attempt)
        attempt.relay(self._outlet, keep=self._transcript.keeps, new_name=new_name)

    def _on_settled(self, attempt: Attempt, appended: asyncio.Future[None]) -> None:
        error = problem_of(appended)
        if error is None and not self._over:
            try:
                self._reply(attempt)
            except Exception as defect:  # noqa: BLE001 - as above
                error = defect
        error = error or self._leaving()
        attempt.give_back()
        self._finish(error)

    def _reply(self, attempt: Attempt) -> None:
        """Send the last of the answer, or all of it."""
        outlet, call, settle = self._outlet, self._call, attempt.settle
        assert settle is not None
        if attempt.stream is None:
            answer = self._transcript.whole(attempt)
            outlet.send(200, whole_headers(call, attempt, settle, made=self._number), answer)
        else:
            tail = self._transcript.tail(attempt)
            outlet.write(tail)
            outlet.end()
            answer = self._transcript.said(attempt, tail)
        if answer is None:
            return
        if call.keeps_bodies:
            self._ledger.record_body(call.inference_id, call.started_ns, call.body, answer)
        if self._keeper is not None:
            equal = attempt.step.place < call.target.equals
            self._keeper.keep(kept_answer(attempt, settle, answer), equal=equal)

    def _record(
        self, attempt: Attempt, error: Exception | None, *, final: bool
    ) -> asyncio.Future[None]:
        call, shown_s = self._call, self._transcript.first_token_s(attempt)
        settle = settle_of(call, attempt, error, final=final, first_token_s=shown_s)
        attempt.settle = settle
        if final:
            self._settled_s = self._clock.monotonic_s()
        appended = self._ledger.record_settle(settle)
        self._tally.settled(settle, (call.target.route, attempt.rung.ref, attempt.step.cause))
        return appended

    def _finish(self, error: Exception | None) -> None:
        """It is over, whichever way. Only the first time counts."""
        if self._over:
            return
        self._over = True
        self._hedging.disarm()
        if isinstance(error, TrimtabError) and self._outlet.started:
            # No terminator of the dialect follows: a cut answer never ends cleanly.
            self._outlet.write(stream_error(error))
            self._outlet.end()
        elif error is not None:
            self._outlet.fail(error)
        if self._keeper is not None:
            self._keeper.let_go()
        self._on_over(self)

    # ------------------------------------------------------------ two at a time

    def _hedge(self) -> None:
        """Make a second attempt beside the first, if it may be made."""
        lead = self._lead
        if lead is None or lead.number > 1 or lead.over or lead.settling or lead.opened:
            return
        if not self._ladder.has_more or not self._hedging.takes():
            return
        step = self._ladder.beside()
        if step is None:
            return
        try:
            self._start(step, beside=True)
        except TrimtabError:  # the first attempt goes on, as if this had never been thought of
            self._rival = None
            self._ladder.give_up(step)

    def _lose(self, attempt: Attempt) -> None:
        """End an attempt that another one of this inference has beaten."""
        error = Superseded("Another attempt was faster.")
        self._hedging.observe(attempt, self._clock.monotonic_s())
        attempt.settling = True
        attempt.abandon()
        attempt.give_back()
        self._ladder.give_up(attempt.step)
        self._record(attempt, error, final=False)

    # ------------------------------------------------------------ OutletListener

    @override
    def on_gone(self) -> None:
        self._gone = True
        self._end_wait()
        if self._rival is not None and not self._rival.settling:
            rival, self._rival = self._rival, None
            self._lose(rival)
        lead = self._lead
        if lead is None or lead.settling:
            return
        drains = self._call.target.policy.on_disconnect == "drain"
        if lead.sent and (drains or (self._keeper is not None and self._keeper.goes_on)):
            lead.set_paused(paused=False)
        else:
            self.on_failed(lead, CallerGone("The caller closed the connection."))

    @override
    def on_paused(self) -> None:
        if self._lead is not None:
            self._lead.set_paused(paused=True)

    @override
    def on_resumed(self) -> None:
        if self._lead is not None:
            self._lead.set_paused(paused=False)

    def _leaving(self) -> Exception | None:
        """The caller left, and the call was read to its end all the same."""
        return CallerGone("The caller closed the connection.") if self._gone else None

    # ------------------------------------------------------------ what has a task

    async def _connect(self, attempt: Attempt) -> None:
        pool = attempt.upstream.pool
        limit_s = self._call.target.timeouts.connect_s
        try:
            async with asyncio.timeout(limit_s):
                connection = await pool.connect()
            if attempt.over:  # the caller left while the connection was made
                pool.release(connection)
            else:
                self._send(attempt, connection)
        except TimeoutError:
            self.on_failed(attempt, ProviderTimeout("connect", limit_s))
        except Exception as error:  # noqa: BLE001 - unreachable, or a defect: both end the attempt
            self.on_failed(attempt, error)

    @override
    def on_failed(self, attempt: Attempt, error: Exception) -> None:
        """End an attempt, and see what is to be done about it."""
        if attempt.settling:
            return
        attempt.settling = True
        attempt.abandon()
        if isinstance(error, ProviderTimeout):
            self._hedging.observe(attempt, self._clock.monotonic_s())
        if attempt.stale:
            self._ladder.give_up(attempt.step)
        else:
            self._ladder.judge(attempt.step, error)
        other = self._rival if attempt is self._lead else self._lead
        if other is not None and not other.settling and not isinstance(error, LedgerUnavailable):
            self._lead, self._rival = other, None
            attempt.give_back()
            self._record(attempt, error, final=False)
            return
        self._spawn(self._recover(attempt, error))

    async def _recover(self, attempt: Attempt, error: Exception) -> None:
        """Settle a failed attempt, and then go on elsewhere or tell the caller."""
        try:
            if isinstance(error, LedgerUnavailable):
                # The provider may have worked: the ledger takes the intent in with the settle.
                if attempt.sent or attempt.number > 1:
                    self._record(attempt, error, final=True)
                raise error  # noqa: TRY301 - the way of all that ends an inference
            attempt.give_back()
            if not attempt.sent:
                await attempt.intent
            if not await self._goes_on(attempt, error):
                await self._end_with(attempt, error)
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of a defect, too
            self._finish(problem)

    async def _goes_on(self, attempt: Attempt, error: Exception) -> bool:
        """Make the attempt that follows a failed one, if there is one."""
        if not isinstance(error, ProviderError) or self._over:
            return False
        if self._ladder.began(attempt.step.place):
            self._told = error
        step = self._next_step(attempt, error)
        if step is None:
            return False
        if step.wait_s:
            await self._wait(step.wait_s)
        if self._gone or self._over:
            self._ladder.give_up(step)
            return False
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

    async def _wait(self, wait_s: float) -> None:
        """Wait before an attempt, unless the caller leaves or the process ends."""
        self._pause = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._pause], timeout=wait_s)

    def _end_wait(self) -> None:
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
