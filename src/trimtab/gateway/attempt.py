"""One physical call to a provider: where it stands, what it has learnt, when it is over.

An attempt sits between two connections. The inference awaits two moments of it (`opened` and
`completed`); the bytes in between go straight from one socket to the other.
"""

import asyncio

from typing_extensions import override

from trimtab.config.schema import Timeouts
from trimtab.errors import (
    CallerGone,
    ProviderError,
    ProviderGarbage,
    ProviderTimeout,
    ProviderTruncated,
    TrimtabError,
)
from trimtab.gateway.outlet import Outlet, OutletListener
from trimtab.gateway.pool import Pool
from trimtab.gateway.refusal import in_band_refusal, refusal
from trimtab.gateway.upstream import AnswerSink, UpstreamConnection
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.types.clock import Clock

__all__ = ["Attempt"]

MAX_ANSWER_BYTES = 64_000_000
MAX_KEPT_BYTES = 4_000_000  # of a stream, where the project records bodies
_TIMER_SLACK_S = 0.001  # the loop's timers count whole milliseconds and may come early
_FINISH_GRACE_S = 2.0  # after the finish: how long a usage chunk or terminator is waited for


class Attempt(AnswerSink, OutletListener):
    """The state of one call.

    Attributes:
        begun_s: monotonic time at which the inference began; its limits count from here.
        sent: the request went out, so that the provider may have worked for us.
        status: HTTP status of the provider, 0 while unknown.
        headers: headers of the provider, lower-case names.
        first_token_s: monotonic time of the first token of a stream, or None.
        ended_s: monotonic time at which it ended; a passed limit counts at its deadline.
        body: the whole answer, where it is not a stream.
        stream: the reader of the stream, or None.
        relayed: what was passed on, kept only where bodies are recorded.
    """

    def __init__(
        self, timeouts: Timeouts, clock: Clock, *, begun_s: float, stream: ChatStream | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._now = clock.monotonic_s  # the loop's own time is in whole milliseconds
        self._timeouts = timeouts
        self._timer: asyncio.TimerHandle | None = None
        self._connection: UpstreamConnection | None = None
        self._outlet: Outlet | None = None
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._completed: asyncio.Future[None] = self._loop.create_future()
        self._parts: list[bytes] = []
        self._size = 0
        self._last_data_s = begun_s
        self._paused = False
        self._keep: list[bytes] | None = None
        self.begun_s = begun_s
        self.sent = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.first_token_s: float | None = None
        self.ended_s = 0.0
        self.stream = stream
        self._streaming = False
        self._message_ended = False
        self._over = False  # the futures cannot tell: cancelling who awaits one cancels it too

    # ------------------------------------------------------------ what the inference calls

    def send(self, connection: UpstreamConnection, request: bytes) -> None:
        """Send the request and start the clock on the limits."""
        self._connection = connection
        self.sent = True
        self._last_data_s = self._now()
        connection.send(request, self)
        self._arm()

    async def opened(self) -> None:
        """Wait for the first token of a stream.

        Raises:
            ProviderError: it failed before that.
            CallerGone: nobody waits for it any more.
        """
        await self._opened

    async def completed(self) -> None:
        """Wait for the end of the answer. Raises as `opened` does."""
        await self._completed

    def relay(self, outlet: Outlet, *, keep: bool) -> None:
        """Pass on what has come and whatever comes, as it comes."""
        self._outlet = outlet
        if keep:
            self._keep = []
        self._set_paused(paused=False)  # before the first write, which may pause it again
        ready, self._parts = b"".join(self._parts), []
        if ready:
            self._pass_on(ready)

    def hold(self) -> None:
        """Stop reading for now; `relay` reads on."""
        self._set_paused(paused=True)

    def kept(self, tail: bytes) -> bytes:
        """What was relayed, for the record, with the tail that follows."""
        return b"".join([*(self._keep or []), tail])

    @property
    def body(self) -> bytes:
        """The whole answer, where it is not a stream."""
        return b"".join(self._parts)

    @property
    def over(self) -> bool:
        """It has ended, well or not."""
        return self._over

    @property
    def stale(self) -> bool:
        """It failed on a used connection before any answer: the peer had closed it unseen."""
        connection = self._connection
        return connection is not None and connection.reused and not connection.answered

    def abandon(self, error: TrimtabError) -> None:
        """End it from this side: the upstream connection is closed at once."""
        self._fail(error)

    def give_back(self, pool: Pool) -> None:
        """Return the connection to its pool, if it can serve another call."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._message_ended:
                pool.release(connection)
            else:
                pool.drain(connection)

    # ------------------------------------------------------------ AnswerSink

    @override
    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.status = status
        self.headers = headers
        self._last_data_s = self._now()
        kind = headers.get(b"content-type", b"")
        # A server that answers a wish for a stream with one JSON object is in error or ignores it.
        self._streaming = (
            self.stream is not None and status == 200 and not kind.startswith(b"application/json")
        )
        if not self._streaming:
            self._arm()

    @override
    def on_data(self, data: bytes) -> None:
        self._last_data_s = self._now()
        if self._streaming:
            self._on_stream_data(data)
            return
        self._size += len(data)
        if self._size > MAX_ANSWER_BYTES:
            self._fail(ProviderGarbage(f"The answer is larger than {MAX_ANSWER_BYTES} bytes."))
            return
        self._parts.append(data)

    def _on_stream_data(self, data: bytes) -> None:
        stream = self.stream
        assert stream is not None
        try:
            ready = stream.feed(data)
        except ProviderGarbage as error:
            self._fail(error)
            return
        if stream.error is not None:
            self._fail(in_band_refusal(stream.error))
            return
        if ready:
            if self._outlet is not None:
                self._pass_on(ready)
            else:
                self._parts.append(ready)
                self._open()
        if stream.finished or stream.done:
            self._arm()
            if stream.complete:
                self._complete()

    def _pass_on(self, data: bytes) -> None:
        assert self._outlet is not None
        self._outlet.write(data)
        if self._keep is not None:
            self._size += len(data)
            if self._size <= MAX_KEPT_BYTES:
                self._keep.append(data)

    def _open(self) -> None:
        if self.first_token_s is None:
            self.first_token_s = self._last_data_s
            self._arm()
        if not self._opened.done():
            self._opened.set_result(None)

    @override
    def on_end(self) -> None:
        self._message_ended = True
        if not self._streaming:
            error = refusal(
                self.status, self.headers, self.body, stream_wanted=self.stream is not None
            )
            if error is not None:
                self._fail(error, keep_connection=True)
                return
        elif self.stream is not None and not (self.stream.finished or self.stream.done):
            self._fail(ProviderTruncated("The provider's stream ended before the answer did."))
            return
        self._complete()

    @override
    def on_broken(self, error: ProviderError) -> None:
        if self.stream is not None and self.stream.finished:
            self._complete()  # everything that matters had come
        else:
            self._fail(error)

    # ------------------------------------------------------------ OutletListener

    @override
    def on_gone(self) -> None:
        self._fail(CallerGone("The caller closed the connection."))

    @override
    def on_paused(self) -> None:
        self._set_paused(paused=True)

    @override
    def on_resumed(self) -> None:
        self._set_paused(paused=False)

    def _set_paused(self, *, paused: bool) -> None:
        if paused == self._paused:
            return
        self._paused = paused
        self._last_data_s = self._now()
        if self._connection is not None:
            if paused:
                self._connection.pause()
            else:
                self._connection.resume()

    # ------------------------------------------------------------ limits and endings

    def _limit(self) -> tuple[float, str]:
        """The next limit to pass: its monotonic time and its name."""
        timeouts = self._timeouts
        total_s = self.begun_s + timeouts.total_s
        if self.stream is not None and self.first_token_s is None:
            limit_s, name = self.begun_s + timeouts.ttft_s, "ttft"
        elif self.status == 0:  # a whole answer comes all at once, however long it takes
            return total_s, "total"
        elif self.stream is not None and self.stream.finished:
            limit_s, name = self._last_data_s + _FINISH_GRACE_S, "finish"
        else:
            limit_s, name = self._last_data_s + timeouts.idle_s, "idle"
        return (limit_s, name) if limit_s < total_s else (total_s, "total")

    def _arm(self) -> None:
        if self._over:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._limit()[0] - self._now(), self._on_limit)

    def _on_limit(self) -> None:
        now = self._now()
        if self._paused:
            self._last_data_s = now  # the caller is the slow one; only the total limit counts
        limit_s, name = self._limit()
        if now < limit_s - _TIMER_SLACK_S:
            self._arm()
        elif name == "finish":
            self._complete()
        else:
            self.ended_s = limit_s
            self._fail(ProviderTimeout(name, getattr(self._timeouts, f"{name}_s")))

    def _complete(self) -> None:
        if self._over:
            return
        self._finish_clock()
        for waited in (self._opened, self._completed):
            if not waited.done():
                waited.set_result(None)

    def _fail(self, error: TrimtabError, *, keep_connection: bool = False) -> None:
        if self._over:
            return
        self._finish_clock()
        if self._connection is not None and not keep_connection:
            self._connection.abort()
        # The inference awaits one of the two; the other must not complain of being forgotten.
        for waited in (self._opened, self._completed):
            if not waited.done():
                waited.set_exception(error)
                waited.exception()

    def _finish_clock(self) -> None:
        self._over = True
        self.ended_s = self.ended_s or self._now()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
