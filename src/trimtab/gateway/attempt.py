"""One physical call to a provider: where it stands, what it has learnt, when it is over.

An attempt sits between two connections. The inference hears of two moments (the first token, and
the end); the bytes in between go straight from one socket to the other.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from typing_extensions import override

from trimtab.config.schema import Rung
from trimtab.errors import (
    ProviderBusy,
    ProviderError,
    ProviderGarbage,
    ProviderTimeout,
    ProviderTruncated,
    TrimtabError,
)
from trimtab.gateway.call import Call
from trimtab.gateway.downgrade import card_of
from trimtab.gateway.form import FormVerdict
from trimtab.gateway.grant import Grant
from trimtab.gateway.ladder import Step
from trimtab.gateway.last_words import LastWords
from trimtab.gateway.outlet import Outlet
from trimtab.gateway.refusal import in_band_refusal, read_whole
from trimtab.gateway.relay import Relay
from trimtab.gateway.serving import Upstream
from trimtab.gateway.slots import Ticket
from trimtab.gateway.upstream import AnswerSink, UpstreamConnection
from trimtab.providers.wire.chat_answer import Answer
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.spend.rates import RateCard
from trimtab.store.receipt import Receipt
from trimtab.types.clock import Clock
from trimtab.types.records import Settle
from trimtab.types.usage import Usage

__all__ = ["Attempt", "AttemptOwner"]

MAX_ANSWER_BYTES = 64_000_000
_TIMER_SLACK_S = 0.001  # the loop's timers count whole milliseconds and may come early
_FINISH_GRACE_S = 2.0  # after the finish: how long a usage chunk or terminator is waited for


class AttemptOwner(Protocol):
    """Who hears of an attempt: the inference that it belongs to."""

    def on_progress(self, attempt: "Attempt") -> None:
        """A stream has something to show, or the answer is complete."""
        ...

    def on_failed(self, attempt: "Attempt", error: Exception) -> None:
        """It has failed; nothing more will be heard of it."""
        ...


class Attempt(AnswerSink):
    """The state of one call.

    Args:
        call: the inference.
        step: which rung is called, and why.
        number: 1 for the first attempt of the inference.
        stream: reads the answer; None where it comes whole.
        clock: monotonic time.
        owner: hears of it.

    Attributes:
        step, number: as given.
        rung, upstream, card: what is called, and its prices.
        grant: what it may spend; None where no budget has a say.
        cut: it was ended because a budget was used up.
        intent: told when the intent is on the disk.
        settling: it is over for the inference too; what it comes to is or will be recorded.
        settle: what it came to, once that is recorded.
        stale: it failed on a used connection before any answer: the peer had closed it unseen.
        sent_s: monotonic time at which the request went out, so that the provider may have worked
            for us; 0 before.
        status: HTTP status of the provider, 0 while unknown.
        headers: headers of the provider, lower-case names.
        first_token_s: monotonic time of the first token of a stream, or None.
        ended_s: monotonic time at which it ended; a passed limit counts at its deadline.
        over: it has ended, well or not.
        complete: it has ended well.
        form: whether its answer has the form that it must have.
        body: the whole answer, where it is not a stream.
        answer: what the gateway reads of it, once it is complete and good.
        stream: the reader of the stream, or None.
    """

    # Where most calls leave them, so that not each one pays for setting them. And an object that
    # sets more than 28 gets a table of its own from the interpreter, which costs more than all.
    _connection: UpstreamConnection | None = None
    _relay: Relay | None = None
    _timer: asyncio.TimerHandle | None = None
    _timer_s = 0.0
    _over_s: float | None = None  # where it shares its time
    _size = 0
    _paused = False
    _streaming = False
    _message_ended = False
    _ticket: Ticket | None = None
    _has_slot = False
    _told = False
    _last_words: LastWords | None = None
    _cutting = False
    intent: Receipt
    grant: Grant | None = None
    cut = False
    settling = False
    settle: Settle | None = None
    stale = False
    sent_s = 0.0
    status = 0
    headers: dict[bytes, bytes] = {}  # noqa: RUF012 - replaced, never filled
    first_token_s: float | None = None
    ended_s = 0.0
    over = False
    complete = False
    form: FormVerdict = ""
    answer: Answer | None = None
    stream: ChatStream | None = None

    def __init__(
        self,
        call: Call,
        *,
        step: Step,
        number: int,
        stream: ChatStream | None,
        clock: Clock,
        owner: AttemptOwner,
    ) -> None:
        self._owner: AttemptOwner | None = owner  # until it is over: no cycle is left behind
        self._now = clock.monotonic_s  # the loop's own time is in whole milliseconds
        self._call = call
        self._parts: list[bytes] = []
        self.step = step
        self.number = number
        self.rung: Rung = call.target.rungs[step.place]
        self.upstream: Upstream = call.serving.upstreams[self.rung.ref.provider]
        self.card: RateCard = card_of(call, self.rung)
        if stream is not None:
            self.stream = stream
        self.begun_s = self._last_data_s = call.begun_s if number == 1 else self._now()

    # ------------------------------------------------------------ what the inference calls

    def share_with(self, rungs: int) -> None:
        """Leave `rungs`, this one included, an equal part of the time that is left."""
        self._over_s = self.begun_s + (self._total_s - self.begun_s) / rungs

    def enter(self, proceed: "Callable[[Attempt], None]") -> None:
        """Take a slot of the provider, now or when it is this call's turn, and then proceed."""
        slots = self.upstream.slots
        if slots.take():
            self._has_slot = True
            proceed(self)
        else:
            self._wait_for_slot(proceed)

    def _wait_for_slot(self, proceed: "Callable[[Attempt], None]") -> None:
        def granted() -> None:
            self._ticket = None
            self._has_slot = True
            proceed(self)

        self._ticket = self.upstream.slots.wait(granted)
        if self._ticket is None:
            self._fail(
                ProviderBusy(
                    f"Provider {self.upstream.name} has as many calls as it may have at a time, "
                    "and as many waiting. Try again shortly, or raise max_concurrent."
                )
            )
        else:
            self._arm()

    def send(self, connection: UpstreamConnection, request: bytes) -> None:
        """Send the request and start the clock on the limits."""
        self._connection = connection
        self._last_data_s = self.sent_s = now = self._now()
        connection.send(request, self)
        self._arm(now)

    @property
    def opened(self) -> bool:
        """A stream has enough to show, or is complete."""
        stream = self.stream
        if stream is None:
            return False
        if self.complete:
            return True
        if self.first_token_s is None:
            return False
        return stream.content_frames >= self._call.target.policy.buffer_tokens

    def relay(
        self, outlet: Outlet, *, keep: bool, new_name: tuple[bytes, bytes] | None = None
    ) -> None:
        """Pass on what has come and whatever comes, as it comes.

        Args:
            outlet: the caller.
            keep: remember what was passed on.
            new_name: the model's name in the frames, and the one to put in its place.
        """
        relay = self._relay = Relay(outlet, keep=keep, new_name=new_name)
        if relay.as_it_is and self._connection is not None:
            self._connection.chunks_to(self._on_chunk)
        self.set_paused(paused=False)  # before the first write, which may pause it again
        ready, self._parts = b"".join(self._parts), []
        if ready:
            relay.write(ready)

    @property
    def relaying(self) -> bool:
        """Its stream goes to the caller."""
        return self._relay is not None

    def set_paused(self, *, paused: bool) -> None:
        """Stop reading for now, or read on; `relay` reads on, too."""
        if paused == self._paused:
            return
        self._paused = paused
        self._last_data_s = self._now()
        if self._connection is not None:
            if paused:
                self._connection.pause()
            else:
                self._connection.resume()

    @property
    def kept(self) -> bytes | None:
        """What was relayed so far; None where it was too much to keep, or was not to be kept."""
        return None if self._relay is None else self._relay.kept

    @property
    def body(self) -> bytes:
        """The whole answer, where it is not a stream."""
        return b"".join(self._parts)

    def abandon(self, *, at_once: bool = False) -> None:
        """End it from this side: unless its answer is complete, the connection is closed.

        Args:
            at_once: nobody will call `read_out`.
        """
        if self._end_clock() is not None:
            self._hang_up(reads_on=not at_once)

    async def read_out(self) -> None:
        """Let count what had arrived of a stream when it was ended from this side, and close it."""
        if self._last_words is not None:
            await self._last_words.heard()
            self._message_ended = self._last_words.ended

    def give_back(self) -> None:
        """Return the connection to its pool, if it can serve another call."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._last_words is not None:  # perhaps nobody has listened
                self._last_words.end()
            pool = self.upstream.pool
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
        if self.stream is not None:
            # A server that answers a wish for a stream with one JSON object is in error or
            # ignores it.
            kind = headers.get(b"content-type", b"")
            self._streaming = status == 200 and not kind.startswith(b"application/json")

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
        before = stream.content_frames
        try:
            ready = stream.feed(data)
        except ProviderGarbage as error:
            self._fail(error)
            return
        grant, relay = self.grant, self._relay
        if ready is data and relay is not None:  # nothing in it that matters to us
            relay.write(data)
            if grant is not None and not grant.covers(stream, stream.content_frames - before):
                self._cut_soon(stream, grant)
            return
        if stream.error is not None:
            self._fail(in_band_refusal(stream.error))
            return
        if ready:
            if relay is not None:
                relay.write(ready)
            else:
                self._parts.append(ready)
                self._note_first_token()
        if stream.finished or stream.done:
            self._arm()
            if stream.complete:
                self._complete()
        elif grant is not None and not grant.covers(stream, stream.content_frames - before):
            self._cut_soon(stream, grant)

    def _on_chunk(self, chunk: bytes) -> bool:
        """Pass on a chunk as it is if it is one more frame like those before: nearly all are."""
        stream, relay, grant = self.stream, self._relay, self.grant
        assert stream is not None
        assert relay is not None
        if not stream.passes(chunk):
            return False
        self._last_data_s = self._now()
        relay.outlet.write_chunk(chunk)
        if (
            grant is not None
            and stream.content_frames >= grant.next_look
            and not grant.covers(stream, 1)
        ):
            self._cut_soon(stream, grant)
        return True

    def _cut_soon(self, stream: ChatStream, grant: Grant) -> None:
        """The budget pays for no more: let come what has arrived by now, since it was made."""
        if not self._cutting:
            self._cutting = True
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._cut, stream, grant)  # in between it reads once

    def _cut(self, stream: ChatStream, grant: Grant) -> None:
        """Close the call, and end the answer as a limit would, unless it has ended meanwhile."""
        if self.over or stream.finished:
            return
        usage = Usage(self._call.input_estimate, output_tokens=stream.content_frames)
        stream.cut(grant.capped(usage))
        grant.was_cut()
        self.cut = True
        if self._connection is not None:
            self._connection.abort()
        self._complete()

    def _note_first_token(self) -> None:
        if self.first_token_s is None:
            self.first_token_s = self._last_data_s
        if self._owner is not None and not self._told and self.opened:
            self._told = True
            self._owner.on_progress(self)

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
        connection = self._connection
        self.stale = connection is not None and connection.reused and not connection.answered
        if self.stream is not None and self.stream.finished:
            self._complete()  # everything that matters had come
        else:
            self._fail(error)

    # ------------------------------------------------------------ limits and endings

    @property
    def _total_s(self) -> float:
        """When its whole time is over; monotonic."""
        call, over_s = self._call, self._over_s
        return call.begun_s + call.target.timeouts.total_s if over_s is None else over_s

    def _limit(self) -> tuple[float, str]:
        """The next limit to pass: its monotonic time and its name."""
        timeouts, total_s = self._call.target.timeouts, self._total_s
        if self.stream is not None and self.first_token_s is None:
            limit_s, name = self.begun_s + timeouts.ttft_s, "ttft"
        elif self.status == 0:  # a whole answer comes all at once, however long it takes
            return total_s, "total"
        elif self.stream is not None and self.stream.finished:
            limit_s, name = self._last_data_s + _FINISH_GRACE_S, "finish"
        else:
            limit_s, name = self._last_data_s + timeouts.idle_s, "idle"
        return (limit_s, name) if limit_s < total_s else (total_s, "total")

    def _arm(self, now: float | None = None) -> None:
        """See to it that the next limit is noticed.

        A timer is never set further than `idle_s`, and asks then what the limit has become. So the
        usual answer needs one timer, whatever arrives meanwhile: only the finish brings a limit
        nearer.
        """
        if self.over:
            return
        if now is None:
            now = self._now()
        limit_s, latest_s = self._limit()[0], now + self._call.target.timeouts.idle_s
        limit_s = limit_s if limit_s < latest_s else latest_s  # noqa: FURB136 - faster
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
            self._fail(ProviderTimeout(name, limit_s - self._since_s(name)))

    def _since_s(self, name: str) -> float:
        """When the limit that has passed began to count."""
        return self._last_data_s if name == "idle" else self.begun_s

    def _complete(self) -> None:
        owner = self._end_clock()
        if owner is not None:
            self.complete = True
            owner.on_progress(self)

    def _fail(self, error: TrimtabError, *, keep_connection: bool = False) -> None:
        owner = self._end_clock()
        if owner is not None:
            if not keep_connection:
                self._hang_up(reads_on=isinstance(error, ProviderTimeout))
            owner.on_failed(self, error)

    def _hang_up(self, *, reads_on: bool) -> None:
        """Close the connection; where a stream flows on it, `read_out` does when it `reads_on`."""
        connection = self._connection
        if connection is None:
            return
        if reads_on and self._streaming and self.stream is not None and not self._message_ended:
            self._last_words = LastWords(self.stream, connection)
        else:
            connection.abort()

    def _end_clock(self) -> AttemptOwner | None:
        """It is over. Who is to be told, unless it was over already."""
        owner, self._owner = self._owner, None
        if owner is not None:
            self.over = True
            if self._has_slot:
                self.upstream.slots.give_back()
            elif self._ticket is not None:
                self._ticket.cancel()
                self._ticket = None
            if not self.ended_s:
                self.ended_s = self._now()
            timer = self._timer
            if timer is not None:
                timer.cancel()
                self._timer = None
        return owner
