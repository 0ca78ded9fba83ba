"""One inference: its attempts in order, or two at a time, and the one answer that comes of them.

Two promises are kept here and nowhere else: no byte reaches the caller before the intent is
durable, and no last frame before the settle is appended.

Where all goes well nothing here waits in a task: attempts and the ledger call back, and each
time what has become possible is done. Only what is rare has a task: a new connection, a failure.
"""

import asyncio
from functools import partial

from typing_extensions import override

from trimtab.errors import (
    CallerGone,
    ProviderTimeout,
    ProviderUnfit,
    RouteUnavailable,
    TrimtabError,
)
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.form import Form
from trimtab.gateway.grant import Grant
from trimtab.gateway.ladder import Step
from trimtab.gateway.outlet import OutletListener
from trimtab.gateway.purse import Purse
from trimtab.gateway.recovery import OnOver, Recovery
from trimtab.gateway.replay import kept_answer
from trimtab.gateway.replies import stream_error, stream_headers, taken_over, whole_headers
from trimtab.gateway.settling import intent_of, settle_of
from trimtab.gateway.spawn import Spawn
from trimtab.store.receipt import Receipt
from trimtab.types.records import Extension

__all__ = ["Inference"]


class Inference(Recovery, OutletListener):
    """One resolved call on its way to providers and back to its caller."""

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
        if self._hedging is not None:
            self._hedging.arm(self._hedge)

    # ------------------------------------------------------------ the way of a good one

    @override
    def _start(self, step: Step, *, beside: bool = False) -> None:
        """Make one attempt; `beside` another one that is under way."""
        call = self._call
        number = self._number + 1
        attempt = Attempt(
            call,
            step=step,
            number=number,
            stream=self._transcript.new_stream(step.cause) if call.request.stream else None,
            clock=self._clock,
            owner=self,
        )
        if self.purse is not None:
            attempt.grant = self._grant(attempt, self.purse)
        intent = self._ledger.record_intent(intent_of(call, attempt))
        self._number = number
        attempt.intent = intent
        if beside:
            self._rival = attempt
        else:
            self._lead = attempt
        intent.listen(partial(self._on_intent, attempt))
        if attempt.stream is None and self._ladder.rungs_left > 1:
            # It shows no first token; so its time is shared with the rungs that follow.
            attempt.share_with(self._ladder.rungs_left)
        attempt.enter(self._dispatch)

    def _grant(self, attempt: Attempt, purse: Purse) -> Grant:
        """What an attempt may spend; its hold on record grows with it."""
        grant = purse.grant(attempt.rung, shown_bytes=self._transcript.shown_bytes)
        if attempt.stream is not None:
            grant.extended = partial(self._extended, attempt.number)
        if grant.limit_tokens is not None:
            self._outlet.note(b"x-trimtab-max-tokens: %d\r\n" % grant.limit_tokens)
        return grant

    def _extended(self, number: int, hold_nanousd: int) -> None:
        inference_id = self._call.inference_id
        self._ledger.record_extension(
            Extension(inference_id=inference_id, attempt=number, hold_nanousd=hold_nanousd)
        )

    def _dispatch(self, attempt: Attempt) -> None:
        try:
            connection = attempt.upstream.pool.take_free()
            if connection is None:
                self._spawn(self._connect(attempt))
            else:
                attempt.send(connection, self._transcript.request(attempt))
        except Exception as defect:  # noqa: BLE001 - may be called by another call's end
            self.on_failed(attempt, defect)

    def _on_intent(self, attempt: Attempt, error: Exception | None) -> None:
        if error is not None:
            self.on_failed(attempt, error)
        elif attempt.complete or attempt.stream is not None:  # else there is nothing to show yet
            self.on_progress(attempt)

    @override
    def on_progress(self, attempt: Attempt) -> None:
        """Do what an attempt and the ledger allow by now."""
        if attempt.settling:
            return
        if not attempt.intent.done:  # it is not durable yet; if it never will be, this has failed
            if attempt.stream is not None and attempt.opened:
                attempt.set_paused(paused=True)
            return
        try:
            if attempt.complete or attempt.opened:
                if self._hedging is not None or self._rival is not None:
                    self._lead_with(attempt)
                if attempt.stream is not None:
                    self._show(attempt)
            if attempt.complete and not attempt.settling:
                if self._call.form is not None and self._repairs(attempt, self._call.form):
                    return
                self._ladder.judge(attempt.step, None, began_s=attempt.begun_s)
                left = self._leaving() if self._gone else None
                appended = self._record(attempt, left, final=True)
                attempt.settling = True  # not before: a defect in recording must still end it
                appended.listen(partial(self._on_settled, attempt))
        except Exception as defect:  # noqa: BLE001 - called from a socket: nobody else would tell
            self.on_failed(attempt, defect)

    def _lead_with(self, attempt: Attempt) -> None:
        """This attempt has something to show: it is the one that the caller gets."""
        if self._hedging is not None and not attempt.relaying:
            self._hedging.disarm()
            self._hedging.observe(attempt, self._clock.monotonic_s())
        if self._rival is not None:
            loser = self._lead if attempt is self._rival else self._rival
            self._lead, self._rival = attempt, None
            assert loser is not None
            self._lose(loser)

    @override
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

    def _repairs(self, attempt: Attempt, form: Form) -> bool:
        """Ask for the answer once more if it has not its form, and that may be done."""
        formed = self._transcript.formed(attempt)
        attempt.form = formed.verdict
        may = form.repairs and attempt.stream is None and not self._repaired and not self._gone
        if not may or formed.verdict != "invalid":
            return False
        self._repaired = True
        step = self._ladder.repair(attempt.step.place)
        if step is None:
            return False
        error = ProviderUnfit("The answer has not the form that the prompt declares.")
        if attempt.grant is not None:
            attempt.grant.settle(self._cost_nanousd(attempt, error))
        self._transcript.repair(formed)
        try:
            self._start(step)
        except TrimtabError:  # then this answer is better than none
            self._ladder.give_up(step)
            return False
        attempt.settling = True
        self._ladder.judge(attempt.step, error, began_s=attempt.begun_s)
        attempt.give_back()
        self._record(attempt, error, final=False)
        return True

    def _on_settled(self, attempt: Attempt, error: Exception | None) -> None:
        if error is None and not self._over:
            try:
                self._reply(attempt)
            except Exception as defect:  # noqa: BLE001 - as above
                error = defect
        if self._gone:
            error = error or self._leaving()
        attempt.give_back()
        self._finish(error)

    def _reply(self, attempt: Attempt) -> None:
        """Send the last of the answer, or all of it."""
        outlet, call, settle = self._outlet, self._call, attempt.settle
        assert settle is not None
        self.answered = call.mark
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

    @override
    def _record(self, attempt: Attempt, error: Exception | None, *, final: bool) -> Receipt:
        call = self._call
        shown_s = None if attempt.stream is None else self._transcript.first_token_s(attempt)
        settle = settle_of(call, attempt, error, final=final, first_token_s=shown_s)
        if final:
            self._settled_s = self._clock.monotonic_s()
        grant = attempt.grant
        if grant is not None:
            grant.learn(settle, attempt.stream)
            grant.settle(settle.cost_nanousd)
        attempt.settle = settle  # from here on nothing is held for it
        if self.lease is not None:
            usage = settle.usage
            self.lease.used(usage.input_tokens + usage.output_tokens)
        if self.seat is not None:
            self._cost_so_far_nanousd += settle.cost_nanousd
            if final:
                self.seat.end(settle, cost_nanousd=self._cost_so_far_nanousd)
        appended = self._ledger.record_settle(settle)
        self._tally.settled(settle, (call.target.route, attempt.rung.ref, attempt.step.cause))
        return appended

    def _close_purse(self, purse: Purse) -> None:
        """Give back what is held for attempts that were not made, or that nobody settles."""
        purse.close()
        lead = self._lead
        if lead is not None and lead.settle is None and lead.grant is not None:
            lead.grant.settle(0)
        rival = self._rival
        if rival is not None and rival.settle is None and rival.grant is not None:
            rival.grant.settle(0)

    @override
    def _cost_nanousd(self, attempt: Attempt, error: Exception) -> int:
        shown_s = self._transcript.first_token_s(attempt)
        settle = settle_of(self._call, attempt, error, final=False, first_token_s=shown_s)
        return settle.cost_nanousd

    @override
    def _finish(self, error: Exception | None) -> None:
        """It is over, whichever way. Only the first time counts."""
        if self._over:
            return
        self._over = True
        if self.purse is not None:
            self._close_purse(self.purse)
        if self.seat is not None:
            self.seat.leave()
        if self._hedging is not None:
            self._hedging.disarm()
        if error is not None:
            self._tell(error)
        if self._keeper is not None:
            self._keeper.let_go()
        self._on_over(self)

    def _tell(self, error: Exception) -> None:
        if isinstance(error, TrimtabError) and self._outlet.started:
            # No terminator of the dialect follows: a cut answer never ends cleanly.
            self._outlet.write(stream_error(error))
            self._outlet.end()
        else:
            self._outlet.fail(error)

    # ------------------------------------------------------------ two at a time

    def _hedge(self) -> None:
        """Make a second attempt beside the first, if it may be made."""
        lead = self._lead
        if lead is None or lead.number > 1 or lead.over or lead.settling or lead.opened:
            return
        if self._hedging is None or not self._ladder.has_more or not self._hedging.takes():
            return
        self._beside("hedge")

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
        if lead.sent_s and (drains or (self._keeper is not None and self._keeper.goes_on)):
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

    def _leaving(self) -> Exception:
        """The caller left, and the call was read to its end all the same."""
        return CallerGone("The caller closed the connection.")

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
                attempt.send(connection, self._transcript.request(attempt))
        except TimeoutError:
            self.on_failed(attempt, ProviderTimeout("connect", limit_s))
        except Exception as error:  # noqa: BLE001 - unreachable, or a defect: both end the attempt
            self.on_failed(attempt, error)
