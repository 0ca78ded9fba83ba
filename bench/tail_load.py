"""Streams asked for when they are due, whether others have ended or not: the callers of one arm.

`python -m bench.tail_load FILE` reads an `Order` as JSON from its input and writes the `Seen` of
its calls into the file. Arrivals are a Poisson process, and every time counts from the moment at
which a call was due: a slow call delays none of the others, and a late sender counts against the
one who made it so.
"""

import asyncio
import json
import re
import resource
import sys
from pathlib import Path
from random import Random
from typing import Any, cast

import msgspec
import uvloop
from typing_extensions import override

from bench.tail_model import expected_text

__all__ = ["COUNTED", "Load", "Order", "Seen", "Told"]

COUNTED, WARM = "counted", "warm"
"""The end users that requests name: the ledger tells them apart."""

_FIRST_TOKEN = re.compile(rb'"content":"[^"]')
_CODE = re.compile(rb'"code": ?"(\w+)"')
_LAST_CHUNK = b"0\r\n\r\n"
_KEPT = 16  # bytes in which the beginning of a token may hide
_READY = 48  # connections that are open before the first call
_PROMPT = "which way does the wind blow today, mate " * 22


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask, of whom, when. Seconds are real ones.

    Attributes:
        port: of the gateway or provider, on loopback.
        headers: lines such as `authorization: Bearer x`.
        model: as callers write it.
        warm: how many calls come first and are not counted; they name another end user.
        seed: of the arrivals.
        calls: how many count.
        per_s: calls a second, on average.
        patience_s: after which a caller gives up.
    """

    port: int
    headers: tuple[str, ...]
    model: str
    warm: int
    seed: str
    calls: int
    per_s: float
    patience_s: float

    def request(self, *, counts: bool) -> bytes:
        """The bytes of one request."""
        fields = {
            "model": self.model,
            "messages": [{"role": "user", "content": _PROMPT}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "user": COUNTED if counts else WARM,
        }
        body = json.dumps(fields, separators=(",", ":")).encode()
        lines = (
            "POST /v1/chat/completions HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            *self.headers,
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def arrivals_s(self) -> list[float]:
        """When each call is due, counted from the first."""
        random = Random(self.seed)  # noqa: S311 - a load, not a secret
        due_s, found = 0.0, [0.0]
        for _ in range(self.warm + self.calls - 1):
            due_s += random.expovariate(self.per_s)
            found.append(due_s)
        return found


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What came of one call: real seconds since it was due.

    Attributes:
        sent_s: the request went out.
        first_s: its first token came; None if none did.
        total_s: it ended, well or not.
        problem: what was wrong with it, or "".
    """

    sent_s: float
    first_s: float | None
    total_s: float
    problem: str


class Seen(msgspec.Struct, frozen=True):
    """The calls that count, as they were due; CPU and real seconds of all of them."""

    calls: list[Told]
    cpu_s: float
    took_s: float


class _Caller(asyncio.Protocol):
    """One connection; busy from a request to the end of its answer."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._number = -1

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, number: int, due_s: float) -> None:
        self._number = number
        self._due_s = due_s
        self._answer = bytearray()
        self._first_s: float | None = None
        loop = self._load.loop
        self._sent_s = loop.time() - due_s
        left_s = self._load.order.patience_s - self._sent_s
        self._limit = loop.call_later(left_s, self._give_up)
        self._transport.write(self._load.request(number))

    @override
    def data_received(self, data: bytes) -> None:
        answer = self._answer
        before = max(len(answer) - _KEPT, 0)
        answer += data
        if self._first_s is None and _FIRST_TOKEN.search(answer, before):
            self._first_s = self._load.loop.time() - self._due_s
        head = bytes(answer[9:12])
        if head != b"200":
            if b"\r\n\r\n" in answer:
                code = _CODE.search(answer)
                self._end(f"status {head.decode()} {code[1].decode() if code else ''}", keep=False)
        elif answer.endswith(_LAST_CHUNK):
            self._end(_problem(bytes(answer)), keep=True)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._number >= 0:
            self._end("connection closed", keep=False)
        self._load.lost(self)

    def _give_up(self) -> None:
        self._end("no whole answer in time", keep=False)

    def _end(self, problem: str, *, keep: bool) -> None:
        number, self._number = self._number, -1
        self._limit.cancel()
        total_s = self._load.loop.time() - self._due_s
        self._load.ended(number, Told(self._sent_s, self._first_s, total_s, problem))
        if keep:
            self._load.free.append(self)
        else:
            self._transport.abort()

    def abort(self) -> None:
        self._transport.abort()


class Load:
    """All calls of one order."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._requests = (order.request(counts=False), order.request(counts=True))
        self._all = order.warm + order.calls
        self.loop = asyncio.get_running_loop()
        self.free: list[_Caller] = []
        self._told: dict[int, Told] = {}
        self._over = asyncio.Event()

    def request(self, number: int) -> bytes:
        """What is sent for a call."""
        return self._requests[number >= self.order.warm]

    def lost(self, caller: _Caller) -> None:
        """A connection was closed."""
        if caller in self.free:
            self.free.remove(caller)

    def ended(self, number: int, told: Told) -> None:
        """A call is over."""
        self._told[number] = told
        if len(self._told) == self._all:
            self._over.set()

    async def run(self) -> Seen:
        """Ask, and wait for the last end."""
        ready = [await self._connect() for _ in range(min(_READY, self._all))]
        self.free = [caller for caller in ready if caller is not None]
        begun_s = self.loop.time()
        async with asyncio.TaskGroup() as group:
            for number, after_s in enumerate(self.order.arrivals_s()):
                due_s = begun_s + after_s
                wait_s = due_s - self.loop.time()
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                if self.free:
                    self.free.pop().ask(number, due_s)
                else:
                    group.create_task(self._ask_on_a_new_one(number, due_s))
        await self._over.wait()
        took_s = self.loop.time() - begun_s
        for caller in self.free:
            caller.abort()
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = [self._told[number] for number in range(self.order.warm, self._all)]
        return Seen(told, used.ru_utime + used.ru_stime, took_s)

    async def _ask_on_a_new_one(self, number: int, due_s: float) -> None:
        caller = await self._connect()
        if caller is None:
            late_s = self.loop.time() - due_s
            self.ended(number, Told(late_s, None, late_s, "no connection"))
        else:
            caller.ask(number, due_s)

    async def _connect(self) -> _Caller | None:
        try:
            _, caller = await self.loop.create_connection(
                lambda: _Caller(self), "127.0.0.1", self.order.port
            )
        except OSError:
            return None
        return caller


def _problem(answer: bytes) -> str:
    """What is wrong with a stream that ended in good order."""
    said: list[str] = []
    done = False
    for line in _unchunked(answer).split(b"\n"):
        if line.startswith(b"data: [DONE]"):
            done = True
        elif line.startswith(b"data: "):
            event: dict[str, Any] = json.loads(line[6:])
            if "error" in event:
                return f"error {event['error'].get('code')}"
            said += [choice["delta"].get("content") or "" for choice in event["choices"]]
    if not done:
        return "no terminator"
    return "" if "".join(said) == _TEXT else "another text"


def _unchunked(answer: bytes) -> bytes:
    """The body of a chunked answer: a gateway may cut chunks in the middle of a line."""
    parts: list[bytes] = []
    at = answer.index(b"\r\n\r\n") + 4
    while True:
        end = answer.index(b"\r\n", at)
        size = int(answer[at:end], 16)
        if not size:
            return b"".join(parts)
        parts.append(answer[end + 2 : end + 2 + size])
        at = end + size + 4


_TEXT = expected_text()


async def _main() -> Seen:
    return await Load(msgspec.json.decode(sys.stdin.buffer.read(), type=Order)).run()


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(msgspec.json.encode(uvloop.run(_main())))
