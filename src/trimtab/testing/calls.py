"""What a fault provider saw and did: one frozen record per call."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from trimtab.types.clock import Clock

__all__ = ["Call", "CallLog", "EndedBy"]

EndedBy = Literal["", "complete", "caller closed", "cut"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One chat request. Times are seconds on the provider's monotonic clock.

    Attributes:
        index: 0 for the first call.
        model: the model asked for.
        streamed: a stream was asked for.
        headers: of the request, names in lower case.
        body: of the request, as received.
        started_s: the request was complete.
        first_byte_s: the answer began; None before that.
        ended_s: the answer or the connection ended; None before that.
        ended_by: "" while under way; "complete" once the last byte is with the operating system or
            its send buffer.
        tokens_sent: output tokens sent so far.
        usage_reported: the last usage object that was sent, or None.
    """

    index: int
    model: str
    streamed: bool
    headers: dict[str, str]
    body: bytes
    started_s: float
    first_byte_s: float | None = None
    ended_s: float | None = None
    ended_by: EndedBy = ""
    tokens_sent: int = 0
    usage_reported: dict[str, Any] | None = None


class CallLog:
    """The calls in the order of their arrival, and those who wait for something to happen.

    Args:
        clock: stamps the calls.
        keep: ended calls stay in memory.
        on_end: is given each call when it has ended.
    """

    def __init__(self, clock: Clock, *, keep: bool, on_end: Callable[[Call], None] | None) -> None:
        self.now_s = clock.monotonic_s
        self.count = 0
        self._keep = keep
        self._on_end = on_end
        self._calls: dict[int, Call] = {}
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    @property
    def calls(self) -> list[Call]:
        """Those under way, and the ended ones if they are kept."""
        return list(self._calls.values())

    def add(self, call: Call) -> None:
        """A call has begun; it may have ended in the same moment."""
        self.count += 1
        self._put(call)

    def sent(self, index: int, tokens: int, usage: dict[str, Any] | None) -> None:
        """Bytes of the answer were sent, with so many tokens in them."""
        call = self._calls.get(index)
        if call is None:  # the caller left in this very moment, and ended calls are not kept
            return
        self._put(
            msgspec.structs.replace(
                call,
                first_byte_s=self.now_s() if call.first_byte_s is None else call.first_byte_s,
                tokens_sent=call.tokens_sent + tokens,
                usage_reported=call.usage_reported if usage is None else usage,
            )
        )

    def end(self, index: int, ended_by: EndedBy) -> None:
        """A call has ended; only the first word counts."""
        if self.has_ended(index):
            return
        call = self._calls[index]
        self._put(msgspec.structs.replace(call, ended_by=ended_by, ended_s=self.now_s()))

    def has_ended(self, index: int) -> bool:
        """Whether the call is over, kept or not."""
        return index not in self._calls or bool(self._calls[index].ended_by)

    async def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Return when `predicate()` holds; it is asked again after each change."""
        if predicate():
            return
        done = asyncio.get_running_loop().create_future()
        waiter = (predicate, done)
        self._waiters.append(waiter)
        try:
            await done
        finally:
            self._waiters.remove(waiter)

    def changed(self) -> None:
        """Ask the waiters' predicates again."""
        for predicate, done in self._waiters:
            if not done.done() and predicate():
                done.set_result(None)

    def _put(self, call: Call) -> None:
        if self._keep or not call.ended_by:
            self._calls[call.index] = call
        else:
            self._calls.pop(call.index, None)
        if call.ended_by and self._on_end is not None:
            self._on_end(call)
        if self._waiters:
            self.changed()
