"""The stages of one inference, in order: record the intent, call, settle, reply.

Two promises are kept here and nowhere else: no byte reaches the caller before the intent is
durable, and no last frame before the settle is appended.

Where all goes well nothing here waits in a task: the attempt and the ledger call back, and each
time what has become possible is done. Only what is rare has a task: a new connection, a failure.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from typing_extensions import override

from trimtab.errors import (
    CallerGone,
    LedgerUnavailable,
    ProviderTimeout,
    ProviderUnreachable,
    ShuttingDown,
    TrimtabError,
)
from trimtab.gateway.attempt import Attempt, AttemptOwner
from trimtab.gateway.call import Call
from trimtab.gateway.outlet import Outlet
from trimtab.gateway.replies import stream_error, stream_headers, whole_headers
from trimtab.gateway.settling import settle_of
from trimtab.providers.wire.chat_request import upstream_body
from trimtab.store.protocol import Ledger
from trimtab.types.clock import Clock
from trimtab.types.records import Settle

__all__ = ["Inference", "OnOver", "Spawn"]

_MAX_ATTEMPTS = 2  # the second only where a kept connection turns out to have been closed unseen
_APPEND_LIMIT_S = 5.0

OnOver = Callable[["Inference"], None]
"""Called once when an inference is over and its caller knows."""

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Makes a task that the server sees to its end."""


class Inference(AttemptOwner):
    """One resolved call on its way to a provider and back to its caller."""

    __slots__ = (
        "_attempt",
        "_call",
        "_clock",
        "_durable",
        "_ending",
        "_intent",
        "_ledger",
        "_number",
        "_on_over",
        "_outlet",
        "_over",
        "_request",
        "_settle",
        "_settled_s",
        "_spawn",
    )

    def __init__(self, call: Call, outlet: Outlet, *, ledger: Ledger, clock: Clock) -> None:
        self._call = call
        self._outlet = outlet
        self._ledger = ledger
        self._clock = clock
        self._number = 0
        self._over = False

    def begin(self, spawn: Spawn, on_over: OnOver) -> None:
        """Start it. It ends by itself, with a call of `on_over`.

        Raises:
            TrimtabError: it could not even begin; `on_over` is not called.
        """
        self._spawn = spawn
        self._on_over = on_over
        call = self._call
        self._request = call.upstream.request(
            upstream_body(call.body, call.request, call.rung.ref.model)
        )
        if self._outlet.gone:
            raise CallerGone("The caller closed the connection.")
        self._try()

    def stop(self) -> None:
        """End it now, because the process ends."""
        error = ShuttingDown("The gateway was stopped in mid-answer. Try again elsewhere.")
        if not self._ending:
            self._ending = True
            self._attempt.abandon()
            self._record(error)
        self._finish(error)

    def check_time(self) -> None:
        """Tell the caller if the ledger takes too long over the settle; it goes on trying."""
        settled_s = self._settled_s
        if settled_s is not None and self._clock.monotonic_s() - settled_s > _APPEND_LIMIT_S:
            self._finish(
                LedgerUnavailable("The ledger cannot be written at present. Try again shortly.")
            )

    # ------------------------------------------------------------ the way of a good one

    def _try(self) -> None:
        """Make one attempt."""
        self._number += 1
        self._durable = False
        self._ending = False
        self._settle: Settle | None = None
        self._settled_s: float | None = None
        call = self._call
        self._attempt = attempt = Attempt(call, self._clock, self)
        self._intent = self._ledger.record_intent(call.intent(self._number, self._clock))
        self._intent.add_done_callback(self._on_intent)
        self._outlet.listener = attempt
        if self._outlet.gone:
            self._fail(CallerGone("The caller closed the connection."))
            return
        connection = call.upstream.pool.take_free()
        if connection is None:
            self._spawn(self._connect(attempt))
        else:
            attempt.send(connection, self._request)

    def _on_intent(self, intent: asyncio.Future[None]) -> None:
        error = _problem(intent)
        if error is None:
            self._durable = True
            self._advance()
        else:
            self._fail(error)

    @override
    def on_progress(self) -> None:
        self._advance()

    @override
    def on_failed(self, error: TrimtabError) -> None:
        self._fail(error)

    def _advance(self) -> None:
        """Do what the attempt and the ledger allow by now."""
        if self._ending:
            return
        attempt = self._attempt
        if not self._durable:
            if attempt.opened:
                attempt.hold()
            return
        try:
            self._show()
            if attempt.complete and not self._ending:
                appended = self._record()
                self._ending = True  # not before: a defect in recording must still end it
                appended.add_done_callback(self._on_settled)
        except Exception as defect:  # noqa: BLE001 - called from a socket: nobody else would tell
            self._fail(defect)

    def _show(self) -> None:
        """Begin to pass on a stream."""
        if self._attempt.opened and not self._outlet.started:
            self._outlet.start(200, stream_headers(self._call, self._attempt, self._number))
            self._attempt.relay(self._outlet, keep=self._call.keeps_bodies)

    def _on_settled(self, appended: asyncio.Future[None]) -> None:
        error = _problem(appended)
        if error is None and not self._over:
            try:
                self._reply()
            except Exception as defect:  # noqa: BLE001 - as above
                error = defect
        self._attempt.give_back(self._call.upstream.pool)
        self._finish(error)

    def _reply(self) -> None:
        """Send the last of the answer, or all of it."""
        attempt, outlet, call = self._attempt, self._outlet, self._call
        if attempt.stream is None:
            answer = attempt.body
            assert self._settle is not None
            outlet.send(200, whole_headers(call, attempt, self._settle), answer)
        else:
            tail = attempt.stream.tail()
            outlet.write(tail)
            outlet.end()
            answer = attempt.kept(tail)
        if call.keeps_bodies:
            self._ledger.record_body(call.inference_id, call.started_ns, call.body, answer)

    def _record(
        self, error: Exception | None = None, *, final: bool = True
    ) -> asyncio.Future[None]:
        self._settle = settle_of(self._call, self._attempt, error, number=self._number, final=final)
        self._settled_s = self._clock.monotonic_s()
        return self._ledger.record_settle(self._settle)

    def _finish(self, error: Exception | None) -> None:
        """It is over, whichever way. Only the first time counts."""
        if self._over:
            return
        self._over = True
        if isinstance(error, TrimtabError) and self._outlet.started:
            # No terminator of the dialect follows: a cut answer never ends cleanly.
            self._outlet.write(stream_error(error))
            self._outlet.end()
        elif error is not None:
            self._outlet.fail(error)
        self._on_over(self)

    # ------------------------------------------------------------ what has a task

    async def _connect(self, attempt: Attempt) -> None:
        pool = self._call.upstream.pool
        limit_s = self._call.target.timeouts.connect_s
        try:
            async with asyncio.timeout(limit_s):
                connection = await pool.connect()
        except TimeoutError:
            self._fail(ProviderTimeout("connect", limit_s))
        except Exception as error:  # noqa: BLE001 - unreachable, or a defect: both end the attempt
            self._fail(error)
        else:
            if attempt.over:  # the caller left while the connection was made
                pool.release(connection)
            else:
                attempt.send(connection, self._request)

    def _fail(self, error: Exception) -> None:
        """End the attempt, and see what is to be done about it."""
        if self._ending:
            return
        self._ending = True
        self._attempt.abandon()
        self._spawn(self._recover(error))

    async def _recover(self, error: Exception) -> None:
        """Settle a failed attempt, then try again or tell the caller."""
        try:
            again = await self._settle_failed(error)
            if again and not self._over:
                self._try()
            else:
                self._finish(error)
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of a defect, too
            self._finish(problem)

    async def _settle_failed(self, error: Exception) -> bool:
        """Record a failure. True if another attempt is to follow.

        Raises:
            LedgerUnavailable: the failure could not be recorded.
        """
        attempt = self._attempt
        if isinstance(error, LedgerUnavailable):
            # The provider may have worked: the ledger takes the intent in with the settle, later.
            if attempt.sent:
                self._record(error)
            raise error
        again = (
            isinstance(error, ProviderUnreachable)
            and attempt.stale
            and self._number < _MAX_ATTEMPTS
        )
        attempt.give_back(self._call.upstream.pool)
        if not attempt.sent:
            await self._intent
        appended = self._record(error, final=not again)
        await self._intent
        self._show()  # what came before the failure
        await appended
        return again


def _problem(waited: asyncio.Future[None]) -> Exception | None:
    """Why the ledger did not take an entry."""
    if waited.cancelled():
        return ShuttingDown("The gateway was stopped. Try again elsewhere.")
    error = waited.exception()
    assert error is None or isinstance(error, Exception)
    return error
