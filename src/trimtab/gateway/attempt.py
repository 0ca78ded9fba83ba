"""One physical call to a provider: where it stands, what it has learnt, when it is over.

An attempt sits between two connections. The inference hears of two moments (the first token, and
the end); the bytes in between go straight from one socket to the other.
"""

import asyncio
from typing import Protocol

from typing_extensions import override

from trimtab.errors import (
    CallerGone,
    ProviderError,
    ProviderGarbage,
    ProviderTimeout,
    ProviderTruncated,
    TrimtabError,
)
from trimtab.gateway.call import Call
from trimtab.gateway.outlet import Outlet, OutletListener
from trimtab.gateway.pool import Pool
from trimtab.gateway.refusal import in_band_refusal, read_whole
from trimtab.gateway.upstream import AnswerSink, UpstreamConnection
from trimtab.providers.wire.chat_answer import Answer
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.types.clock import Clock

__all__ = ["Attempt", "AttemptOwner"]

MAX_ANSWER_BYTES = 64_000_000
MAX_KEPT_BYTES = 4_000_000  # of a stream, where the project records bodies
_TIMER_SLACK_S = 0.001  # the loop's timers count whole milliseconds and may come early
_FINISH_GRACE_S = 2.0  # after the finish: how long a usage chunk or terminator is waited for


class AttemptOwner(Protocol):
    """Who hears of an attempt: the inference that it belongs to."""

    def on_progress(self) -> None:
        """The first token of a stream is there, or the answer is complete."""
        ...

    def on_failed(self, error: TrimtabError) -> None:
        """It has failed; nothing more will be heard of it."""
        ...


class Attempt(AnswerSink, OutletListener):
    """The state of one call.

    Attributes:
        sent: the request went out, so that the provider may have worked for us.
        status: HTTP status of the provider, 0 while unknown.
        headers: headers of the provider, lower-case names.
        first_token_s: monotonic time of the first token of a stream, or None.
        ended_s: monotonic time at which it ended; a passed limit counts at its deadline.
        over: it has ended, well or not.
        complete: it has ended well.
        body: the whole answer, where it is not a stream.
        answer: what the gateway reads of it, once it is complete and good.
        stream: the reader of the stream, or None.
    """

    # Where most calls leave them, so that not each one pays for setting them.
    _connection: UpstreamConnection | None = None
    _outlet: Outlet | None = None
    _timer: asyncio.TimerHandle | None = None
    _timer_s = 0.0
    _size = 0
    _paused = False
    _streaming = False
    _message_ended = False
    _keep: list[bytes] | None = None
    sent = False
    status = 0
    headers: dict[bytes, bytes] = {}  # noqa: RUF012 - replaced, never filled
    first_token_s: float | None = None
    ended_s = 0.0
    over = False
    complete = False
    answer: Answer | None = None

    def __init__(self, call: Call, clock: Clock, owner: AttemptOwner) -> None:
        self._owner: AttemptOwner | None = owner  # until it is over: no cycle is left behind
        self._now = clock.monotonic_s  # the loop's own time is in whole milliseconds
        self._timeouts = call.target.timeouts
        self._begun_s = call.begun_s  # of the inference: its limits count from there
        self._last_data_s = call.begun_s
        self._parts: list[bytes] = []
        self.stream: ChatStream | None = call.new_stream()

    # ------------------------------------------------------------ what the inference calls

    def send(self, connection: UpstreamConnection, request: bytes) -> None:
        """Send the request and start the clock on the limits."""
        self._connection = connection
        self.sent = True
        self._last_data_s = self._now()
        connection.send(request, self)
        self._arm()

    @property
    def opened(self) -> bool:
        """A stream has something to show, or is complete without."""
        return self.stream is not None and (self.first_token_s is not None or self.complete)

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
    def stale(self) -> bool:
        """It failed on a used connection before any answer: the peer had closed it unseen."""
        connection = self._connection
        return connection is not None and connection.reused and not connection.answered

    def abandon(self) -> None:
        """End it from this side: unless its answer is complete, the connection is closed."""
        if self._end_clock() is not None and self._connection is not None:
            self._connection.abort()

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
        if ready is data and self._outlet is not None:  # nothing in it that matters to us
            self._pass_on(data)
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
            if self._owner is not None:
                self._owner.on_progress()

    @override
    def on_end(self) -> None:
        self._message_ended = True
        if not self._streaming:
            try:
                self.answer = read_whole(
                    self.status, self.headers, self.body, stream_wanted=self.stream is not None
                )
            except ProviderError as error:
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
        total_s = self._begun_s + timeouts.total_s
        if self.stream is not None and self.first_token_s is None:
            limit_s, name = self._begun_s + timeouts.ttft_s, "ttft"
        elif self.status == 0:  # a whole answer comes all at once, however long it takes
            return total_s, "total"
        elif self.stream is not None and self.stream.finished:
            limit_s, name = self._last_data_s + _FINISH_GRACE_S, "finish"
        else:
            limit_s, name = self._last_data_s + timeouts.idle_s, "idle"
        return (limit_s, name) if limit_s < total_s else (total_s, "total")

    def _arm(self) -> None:
        """See to it that the next limit is noticed.

        A timer is never set further than `idle_s`, and asks then what the limit has become. So the
        usual answer needs one timer, whatever arrives meanwhile: only the finish brings a limit
        nearer.
        """
        if self.over:
            return
        now = self._now()
        limit_s = min(self._limit()[0], now + self._timeouts.idle_s)
        if self._timer is not None:
            if self._timer_s <= limit_s:
                return
            self._timer.cancel()
        self._timer_s = limit_s
        self._timer = asyncio.get_running_loop().call_later(limit_s - now, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
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
        owner = self._end_clock()
        if owner is not None:
            self.complete = True
            owner.on_progress()

    def _fail(self, error: TrimtabError, *, keep_connection: bool = False) -> None:
        owner = self._end_clock()
        if owner is not None:
            if self._connection is not None and not keep_connection:
                self._connection.abort()
            owner.on_failed(error)

    def _end_clock(self) -> AttemptOwner | None:
        """It is over. Who is to be told, unless it was over already."""
        owner, self._owner = self._owner, None
        if owner is not None:
            self.over = True
            self.ended_s = self.ended_s or self._now()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        return owner
