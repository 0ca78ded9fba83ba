"""The stages of one inference, in order: record the intent, call, settle, reply.

Two promises are kept here and nowhere else: no byte reaches the caller before the intent is
durable, and no last frame before the settle is appended.
"""

import asyncio

from trimtab.errors import (
    CallerGone,
    LedgerUnavailable,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    ShuttingDown,
    TrimtabError,
)
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.gateway.outlet import Outlet
from trimtab.gateway.replies import stream_error, stream_headers, whole_headers
from trimtab.gateway.settling import settle_of
from trimtab.providers.wire.chat_request import upstream_body
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.store.protocol import Ledger
from trimtab.types.clock import Clock
from trimtab.types.records import Settle

__all__ = ["Inference"]

_MAX_ATTEMPTS = 2  # the second only where a kept connection turns out to have been closed unseen
_APPEND_LIMIT_S = 5.0


class Inference:
    """One resolved call on its way to a provider and back to its caller."""

    def __init__(self, call: Call, outlet: Outlet, *, ledger: Ledger, clock: Clock) -> None:
        self._call = call
        self._outlet = outlet
        self._ledger = ledger
        self._clock = clock
        self._number = 0

    async def serve(self) -> None:
        """See it through.

        Raises:
            TrimtabError: it failed before anything was sent. Once a stream has begun, errors are
                told inside it instead.
        """
        call = self._call
        request = call.upstream.request(
            upstream_body(call.body, call.request, call.target.ref.model)
        )
        while True:
            try:
                error = await self._try(request)
            except asyncio.CancelledError:  # the drain time is over
                if self._outlet.started:
                    self._end_with(ShuttingDown("The gateway was stopped in mid-answer."))
                raise
            if error is None:
                return
            if self._outlet.started:
                self._end_with(error)
                return
            if not self._may_try_again:
                raise error

    def _end_with(self, error: TrimtabError) -> None:
        """Tell an error inside a stream that has begun; no terminator of the dialect follows."""
        self._outlet.write(stream_error(error))
        self._outlet.end()

    async def _try(self, request: bytes) -> TrimtabError | None:
        """Make one attempt and settle it, come what may. Returns what ended it, if not success."""
        self._number += 1
        call = self._call
        attempt = Attempt(
            call.target.timeouts, self._clock, begun_s=call.begun_s, stream=call.new_stream()
        )
        self._may_try_again = False
        self._recorded = False
        self._outlet.listener = attempt
        if self._outlet.gone:
            return CallerGone("The caller closed the connection.")
        intent = self._ledger.record_intent(call.intent(self._number, self._clock))
        try:
            await self._send(attempt, request)
            if attempt.stream is None:
                await self._reply_whole(attempt, intent)
            else:
                await self._reply_streamed(attempt, attempt.stream, intent)
        except LedgerUnavailable as error:
            attempt.abandon(error)
            # The provider may have worked: the ledger takes the intent in with the settle, later.
            if attempt.sent and not self._recorded:
                self._record(attempt, error)
            return error
        except (ProviderError, CallerGone) as error:
            attempt.abandon(error)
            self._may_try_again = (
                isinstance(error, ProviderUnreachable)
                and attempt.stale
                and self._number < _MAX_ATTEMPTS
            )
            attempt.give_back(call.upstream.pool)
            return await self._settle_failed(attempt, intent, error)
        except BaseException as error:  # a defect, or the end of the process: settled all the same
            attempt.abandon(CallerGone("The gateway stopped serving this."))
            if not self._recorded:
                self._record(attempt, error)
            raise
        attempt.give_back(call.upstream.pool)
        return None

    async def _send(self, attempt: Attempt, request: bytes) -> None:
        pool = self._call.upstream.pool
        connection = pool.take_free()
        if connection is None:
            limit_s = self._call.target.timeouts.connect_s
            try:
                async with asyncio.timeout(limit_s):
                    connection = await pool.connect()
            except TimeoutError:
                raise ProviderTimeout("connect", limit_s) from None
        if attempt.over:  # the caller left while the connection was made
            pool.release(connection)
        else:
            attempt.send(connection, request)

    async def _reply_whole(self, attempt: Attempt, intent: asyncio.Future[None]) -> None:
        await attempt.completed()
        await intent
        settle, appended = self._record(attempt)
        await self._appended(appended)
        body = attempt.body
        self._outlet.send(200, whole_headers(self._call, attempt, settle), body)
        self._keep(body)

    async def _reply_streamed(
        self, attempt: Attempt, stream: ChatStream, intent: asyncio.Future[None]
    ) -> None:
        outlet = self._outlet
        await attempt.opened()
        if not intent.done():
            attempt.hold()
        await intent
        outlet.start(200, stream_headers(self._call, attempt, self._number))
        attempt.relay(outlet, keep=self._call.keeps_bodies)
        await attempt.completed()
        _, appended = self._record(attempt)
        await self._appended(appended)
        tail = stream.tail()
        outlet.write(tail)
        outlet.end()
        self._keep(attempt.kept(tail))

    async def _settle_failed(
        self, attempt: Attempt, intent: asyncio.Future[None], error: TrimtabError
    ) -> TrimtabError:
        """Record a failure: of an attempt whose intent is in, or that reached the provider."""
        try:
            if not attempt.sent:
                await intent
            _, appended = self._record(attempt, error, final=not self._may_try_again)
            await intent
            await self._appended(appended)
        except LedgerUnavailable as unavailable:
            self._may_try_again = False
            return unavailable
        return error

    async def _appended(self, settle: asyncio.Future[None]) -> None:
        """Wait for a settle, not for ever: the ledger goes on trying, the caller is told."""
        if settle.done():
            return
        timer = asyncio.get_running_loop().call_later(_APPEND_LIMIT_S, _give_up, settle)
        try:
            await settle
        finally:
            timer.cancel()

    def _record(
        self, attempt: Attempt, error: BaseException | None = None, *, final: bool = True
    ) -> tuple[Settle, asyncio.Future[None]]:
        self._recorded = True
        settle = settle_of(self._call, attempt, error, number=self._number, final=final)
        return settle, self._ledger.record_settle(settle)

    def _keep(self, answer: bytes) -> None:
        call = self._call
        if call.keeps_bodies:
            self._ledger.record_body(call.inference_id, call.started_ns, call.body, answer)


def _give_up(settle: asyncio.Future[None]) -> None:
    if not settle.done():
        settle.set_exception(
            LedgerUnavailable("The ledger cannot be written at present. Try again shortly.")
        )
