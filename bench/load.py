"""The load generator: a closed loop on keep-alive connections.

Answers are not parsed beyond what tells their end, so that it costs a fraction of what it measures.
"""

import asyncio
import json
import re
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple, cast

from typing_extensions import override

from bench.loads import Load
from bench.provider import FIRST_TOKEN
from bench.spin import Spin

__all__ = ["REQUEST_BYTES", "Tally", "Target", "run_load"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_KEPT = 16  # bytes of a chunk that may be the beginning of what is looked for
_PATIENCE_S = 60.0  # for answers that were begun in time
_FIELDS = {
    "model": "fast",
    "messages": [
        {"role": "system", "content": "You are the second mate of a sailing ship. Be brief."},
        {"role": "user", "content": "which way does the wind blow today, mate " * 22},
    ],
    "temperature": 0.2,
    "user": "bench",
}
_STREAMED_FIELDS = {"stream": True, "stream_options": {"include_usage": True}}


def _body(*, streamed: bool) -> bytes:
    fields = _FIELDS | (_STREAMED_FIELDS if streamed else {})
    return json.dumps(fields, separators=(",", ":")).encode()


REQUEST_BYTES = len(_body(streamed=False))


class Target(NamedTuple):
    """Where the load goes; headers are lines such as `authorization: Bearer x`."""

    port: int
    headers: Sequence[str] = ()

    def request(self, *, streamed: bool) -> bytes:
        """The bytes of one request."""
        body = _body(streamed=streamed)
        lines = [
            "POST /v1/chat/completions HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            *self.headers,
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Tally:
    """What happened under one load. `problem` is the first thing that went wrong."""

    def __init__(self) -> None:
        self.total_s: list[float] = []
        self.first_s: list[float] = []
        self.frames = 0
        self.begun_s = 0.0
        self.ended_s = 0.0
        self.problem: str | None = None


class _Run:
    """What the callers of one load share."""

    def __init__(self, request: bytes, *, streamed: bool, answers: int | None) -> None:
        self.request = request
        self.streamed = streamed
        self.tally = Tally()
        self.until_s = 0.0
        self.left = answers
        self.open = 0
        self.over = asyncio.Event()

    def may_ask(self) -> bool:
        if self.tally.problem is not None or perf_counter() >= self.until_s:
            return False
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0

    def fail(self, problem: str) -> None:
        if self.tally.problem is None:
            self.tally.problem = problem


class _Caller(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._waits = False
        self._first = True  # bytes of the head are still expected
        self._token = False  # the first token has come
        self._left: int = -1  # bytes of a whole answer, or -1 for chunks
        self._kept: bytes = b""
        self._begun_s = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._run.open += 1

    def ask(self) -> None:
        if not self._run.may_ask():
            self._transport.close()
            return
        self._waits = True
        self._first = True
        self._kept = b""
        self._begun_s = perf_counter()
        self._transport.write(self._run.request)

    @override
    def data_received(self, data: bytes) -> None:
        if self._first:
            if self._kept:
                data = self._kept + data
            end = data.find(b"\r\n\r\n") + 4
            if end < 4 or len(data) == end:
                self._kept = data
                return
            self._first = False
            if not data.startswith(b"HTTP/1.1 200"):
                self._refuse(data)
                return
            found = _LENGTH.search(data, 0, end)
            self._left = int(found[1]) + end if found else -1
            self._kept = b""
            self._token = False
        if self._left >= 0:
            self._left -= len(data)
            if self._left <= 0:
                self._finish()
            return
        self._take_chunks(data)

    def _take_chunks(self, data: bytes) -> None:
        if self._run.streamed:
            self._run.tally.frames += data.count(b"data: {")
            if not self._token and FIRST_TOKEN in (self._kept + data):
                self._token = True
                self._run.tally.first_s.append(perf_counter() - self._begun_s)
        tail = self._kept + data if len(data) < _KEPT else data
        if tail.endswith(_LAST_CHUNK):
            self._finish()
        else:
            self._kept = tail[-_KEPT:]

    def _finish(self) -> None:
        if self._run.streamed and not self._token:
            self._run.fail("ended a stream that had not brought its first token")
        self._waits = False
        self._run.tally.total_s.append(perf_counter() - self._begun_s)
        self.ask()

    def _refuse(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1].decode(errors="replace")
        found = re.search(rb'"message": *"([^"]{1,80})', body)
        said = found[1].decode(errors="replace") if found else ""
        self._run.fail(f"answered {status}" + (f": {said}" if said else ""))
        self._waits = False
        self._transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        run = self._run
        if self._waits:
            run.fail("closed a connection that waited for its answer")
        run.open -= 1
        if not run.open:
            run.over.set()

    def abort(self) -> None:
        self._waits = False
        self._transport.abort()


async def run_load(
    spin: Spin, target: Target, load: Load, *, seconds: float, answers: int | None = None
) -> Tally:
    """Begin requests for `seconds`, or until `answers` are served; wait for what was begun.

    Raises OSError when the target takes no connection.
    """
    loop = asyncio.get_running_loop()
    run = _Run(target.request(streamed=load.streamed), streamed=load.streamed, answers=answers)
    callers: list[_Caller] = []
    try:
        for _ in range(load.connections):
            _, caller = await loop.create_connection(lambda: _Caller(run), "127.0.0.1", target.port)
            callers.append(caller)
        run.tally.begun_s = perf_counter()
        run.until_s = run.tally.begun_s + seconds
        for place, caller in enumerate(callers):
            spin.at(run.tally.begun_s + place * load.stagger_s, caller.ask)
        async with asyncio.timeout(seconds + _PATIENCE_S):
            await run.over.wait()
    except TimeoutError:
        run.fail(f"{run.open} answers did not end within {seconds + _PATIENCE_S:.0f} s")
    finally:
        for caller in callers:
            caller.abort()
    run.tally.ended_s = perf_counter()
    return run.tally
