"""Requests at a fixed rate, whether answers come or not: `python -m whole.flood PORT RATE SECONDS`.

Each request goes out when it is due, on a free connection or a new one, so that a server that is
slow does not slow down what it is asked. A rate of 0 asks as fast as 32 connections get answers.
Prints one JSON object when the last answer is in.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import cast

import uvloop
from typing_extensions import override

_MOST_CONNECTIONS = 2_000  # as many as fit into a listener's queue while it is busy
_CLOSED_LOOP = 32
_LAST_ANSWER_S = 30.0
_BODY = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "x" * 900}]}).encode()


class Caller(asyncio.Protocol):
    """One connection; busy from a request to the end of its answer."""

    def __init__(self, flood: "Flood") -> None:
        self._flood = flood
        self._answer = b""
        self._length = 0
        self._busy = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        self._answer = b""
        self._length = 0
        self._busy = True
        self._flood.asked += 1
        self._flood.open += 1
        self._transport.write(self._flood.request)

    @override
    def data_received(self, data: bytes) -> None:
        self._answer += data
        head_end = self._answer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        if not self._length:
            lines = self._answer[:head_end].lower().split(b"\r\n")
            length = next(line for line in lines if line.startswith(b"content-length:"))
            self._length = head_end + 4 + int(length.partition(b":")[2])
        if len(self._answer) < self._length:
            return
        status = int(self._answer[9:12])
        self._flood.seen[str(status)] += 1
        if status == 503 and b"\r\nretry-after: " not in self._answer[:head_end]:
            self._flood.seen["503 without retry-after"] += 1
        self._busy = False
        self._flood.answered(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._flood.lost(self, busy=self._busy)


class Flood:
    """A run.

    Attributes:
        asked, open: requests that went out, and those of them without an answer.
        late: requests that were due and found no connection, because all waited for answers.
        seen: answers by status.
    """

    def __init__(self, port: int, rate: float, seconds: float) -> None:
        self.request = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(_BODY)}\r\n\r\n"
        ).encode() + _BODY
        self._port = port
        self._rate = rate
        self._seconds = seconds
        self._free: list[Caller] = []
        self._over = asyncio.Event()
        self.asked = self.open = self.late = self.connections = 0
        self.seen: Counter[str] = Counter()

    def answered(self, caller: Caller) -> None:
        self.open -= 1
        if not self._rate and time.monotonic() < self._until_s:
            caller.ask()
        else:
            self._free.append(caller)
            self._look()

    def lost(self, caller: Caller, *, busy: bool) -> None:
        self.connections -= 1
        if busy:
            self.seen["broken"] += 1
            self.open -= 1
            self._look()
        elif caller in self._free:
            self._free.remove(caller)

    def _look(self) -> None:
        if not self.open:
            self._over.set()

    async def run(self) -> dict[str, float]:
        begun_s = time.monotonic()
        self._until_s = begun_s + self._seconds
        if self._rate:
            await self._ask_on_time(begun_s)
        else:
            for _ in range(_CLOSED_LOOP):
                (await self._connected()).ask()
        asked_s = max(time.monotonic() - begun_s, self._seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_ANSWER_S):
                while self.open:
                    self._over.clear()
                    await self._over.wait()
        return {
            "asked": self.asked,
            "late": self.late,
            "asked_per_s": self.asked / asked_s,
            "unanswered": self.open,
            **self.seen,
        }

    async def _ask_on_time(self, begun_s: float) -> None:
        due = 0
        async with asyncio.TaskGroup() as group:
            while (now_s := time.monotonic()) < self._until_s:
                while due < (now_s - begun_s) * self._rate:
                    due += 1
                    if self._free:
                        self._free.pop().ask()
                    elif self.connections < _MOST_CONNECTIONS:
                        group.create_task(self._ask_on_a_new_one())
                    else:
                        self.late += 1
                await asyncio.sleep(0.001)

    async def _ask_on_a_new_one(self) -> None:
        (await self._connected()).ask()

    async def _connected(self) -> Caller:
        self.connections += 1
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(lambda: Caller(self), "127.0.0.1", self._port)
        return caller


if __name__ == "__main__":
    number, per_s, length_s = sys.argv[1:4]
    found = uvloop.run(Flood(int(number), float(per_s), float(length_s)).run())
    sys.stdout.write(json.dumps(found) + "\n")
