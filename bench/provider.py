"""A provider that is as fast as Python allows: canned bytes of OpenAI's chat completions.

Every contender gets the same bytes. `think_s` is how long it takes before it answers. What a
request says is not looked at, but for its length and whether it wants a stream.
"""

import asyncio
import json
import re
from time import perf_counter
from typing import Any, cast

from typing_extensions import override

from bench.spin import Spin

__all__ = [
    "FIRST_TOKEN",
    "FRAMES",
    "FRAME_GAP_S",
    "MODEL",
    "STREAM",
    "STREAM_HEAD",
    "WHOLE",
    "WHOLE_BYTES",
    "Provider",
]

MODEL = "gpt-bench"
FRAMES = 64
FRAME_GAP_S = 0.01
FIRST_TOKEN = b"word00"  # in the second frame; the first one only says who speaks

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_USAGE = {
    "prompt_tokens": 180,
    "completion_tokens": 380,
    "total_tokens": 560,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
_ORIGIN = {
    "id": "chatcmpl-Bench7Jt0aXqYc5LmN2pRsTuVwXyZ",
    "created": 1790000000,
    "model": MODEL,
    "service_tier": "default",
    "system_fingerprint": "fp_b3nc4d0e1f",
}


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _reply(status: str, body: bytes) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "content-type: application/json",
        "openai-processing-ms: 100",
        "x-request-id: req_bench",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _whole() -> bytes:
    message = {"role": "assistant", "content": "steady as she goes " * 98, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    fields = _ORIGIN | {"object": "chat.completion", "choices": [choice], "usage": _USAGE}
    return _json(fields)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _frames() -> tuple[bytes, ...]:
    """As OpenAI sends them: text, the reason for the end, the usage; the last one brings [DONE]."""
    fields = _ORIGIN | {"object": "chat.completion.chunk"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"content": f" word{number:02}"} for number in range(FRAMES - 3)]
    events: list[dict[str, Any]] = []
    for delta in (*deltas, {}):
        reason = None if delta else "stop"
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        events.append(fields | {"choices": [choice], "usage": None})
    events.append(fields | {"choices": [], "usage": _USAGE})
    sent = [b"data: " + _json(event) + b"\n\n" for event in events]
    return (
        *(_chunk(event) for event in sent[:-1]),
        _chunk(sent[-1] + b"data: [DONE]\n\n") + b"0\r\n\r\n",
    )


_BODY = _whole()
WHOLE_BYTES = len(_BODY)
WHOLE = _reply("200 OK", _BODY)
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"x-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)
STREAM = _frames()
_MODELS = _reply(
    "200 OK",
    _json({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "bench"}]}),
)
_NO_LENGTH = _reply(
    "411 Length Required", b'{"error":{"message":"the bench wants content-length"}}'
)


class Provider:
    """Serves inside `async with` of its spin until the loop ends or it is closed."""

    def __init__(self, spin: Spin) -> None:
        self.spin = spin
        self.think_s = 0.0

    async def open(self) -> int:
        """Listen on a free port of loopback, and return it."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        return cast("int", self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()


class _Connection(asyncio.Protocol):
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._spin = provider.spin
        self._kept = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        data = self._kept + data if self._kept else data
        while data:
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                break
            found = _LENGTH.search(data, 0, end)
            length = int(found[1]) if found else 0
            if len(data) < end + length:
                break
            if data.startswith(b"GET "):
                self._transport.write(_MODELS)
            elif found is None:
                self._transport.write(_NO_LENGTH)
            else:
                self._answer(data)
            data = data[end + length :]
        self._kept = data

    def _answer(self, request: bytes) -> None:
        streamed = b'"stream":true' in request or b'"stream": true' in request
        send = self._begin_stream if streamed else self._send_whole
        if self._provider.think_s:
            self._spin.at(perf_counter() + self._provider.think_s, send)
        else:
            send()

    def _send_whole(self) -> None:
        self._transport.write(WHOLE)

    def _begin_stream(self) -> None:
        self._next = 1
        self._begun_s = perf_counter()
        self._transport.write(STREAM_HEAD + STREAM[0])
        self._spin.at(self._begun_s + FRAME_GAP_S, self._send_frame)

    def _send_frame(self) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(STREAM[self._next])
        self._next += 1
        if self._next < FRAMES:
            self._spin.at(self._begun_s + self._next * FRAME_GAP_S, self._send_frame)
