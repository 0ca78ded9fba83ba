"""One connection to the fault provider: requests in, scripted bytes out."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, cast

import httptools
import msgspec
from typing_extensions import override

from trimtab.testing.answer import CALL_NUMBER
from trimtab.testing.calls import Call, EndedBy
from trimtab.testing.plan import Plan, plain_reply
from trimtab.testing.script import Behaviour, Cut
from trimtab.testing.stage import ChatRequest, Stage

__all__ = ["Connection"]

_decode_chat = msgspec.json.Decoder(ChatRequest).decode
_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() sends RST


class _Request(NamedTuple):
    method: bytes
    path: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    keep_alive: bool


class Connection(asyncio.Protocol):
    """Answers one request after the other, each as the stage says.

    Args:
        stage: what all connections of a provider share.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[_Request] = deque()
        self._active: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._path = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""

    # ------------------------------------------------------------------ asyncio

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._stage.connections.add(self)
        self._stage.log.changed()

    @override
    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(plain_reply(400, {"error": {"message": "not HTTP/1.1"}}))
            self._transport.close()

    @override
    def eof_received(self) -> None:
        """The caller has closed: nothing more is sent to it."""
        self._leave("caller closed")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over, by whichever side."""
        self._leave("caller closed")
        self._stage.connections.discard(self)
        self._stage.log.changed()

    @override
    def pause_writing(self) -> None:
        """The send buffer is over its mark."""
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        """The send buffer has drained."""
        self._writable.set()

    def abort(self) -> None:
        """Drop the connection because the provider stops."""
        self._leave("cut")
        self._transport.abort()

    # ------------------------------------------------------------------ httptools

    def on_message_begin(self) -> None:
        """A request begins."""
        self._path, self._headers, self._body = b"", [], b""

    def on_url(self, url: bytes) -> None:
        """Its path, perhaps in parts."""
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._body += body

    def on_message_complete(self) -> None:
        """It is complete."""
        parser = self._parser
        self._waiting.append(
            _Request(
                parser.get_method(),
                self._path,
                self._headers,
                self._body,
                parser.should_keep_alive(),
            )
        )
        self._next()

    # ------------------------------------------------------------------ answering

    def _next(self) -> None:
        while self._waiting and self._active is None and not self._transport.is_closing():
            self._serve(self._waiting.popleft())

    def _serve(self, request: _Request) -> None:
        path = request.path.partition(b"?")[0]
        if request.method == b"POST" and path.endswith(b"/chat/completions"):
            self._serve_chat(request)
        elif request.method == b"GET" and path.endswith(b"/models"):
            self._reply(200, self._stage.model_list())
        else:
            self._reply(404, {"error": {"message": "unknown path", "code": "unknown_url"}})

    def _serve_chat(self, request: _Request) -> None:
        try:
            chat = _decode_chat(request.body)
        except msgspec.MsgspecError as error:
            self._reply(400, {"error": {"message": str(error), "code": "malformed"}})
            return
        behaviour = self._stage.turns.next(chat.model)
        if behaviour is None:
            message = f"{chat.model!r} is not scripted; GET /v1/models lists what is."
            self._reply(404, {"error": {"message": message, "code": "model_not_found"}})
            return
        plan = self._stage.plan(behaviour, chat.ask(len(request.body)))
        close = not request.keep_alive or _must_close(behaviour)
        call = self._call(request, chat)
        if plan.whole:
            self._answer_at_once(call, plan, close=close)
        else:
            self._active = call.index
            self._stage.log.add(call)
            self._task = self._stage.tasks.create_task(
                self._perform(plan, behaviour.segment_bytes, close=close)
            )

    def _reply(self, status: int, value: object) -> None:
        self._transport.write(plain_reply(status, value))

    def _call(self, request: _Request, chat: ChatRequest) -> Call:
        log = self._stage.log
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in request.headers}
        return Call(
            index=log.count,
            model=chat.model,
            streamed=bool(chat.stream),
            headers=headers,
            body=request.body,
            started_s=log.now_s(),
        )

    def _answer_at_once(self, call: Call, plan: Plan, *, close: bool) -> None:
        self._transport.write(_numbered(plan.whole, call.index))
        now_s = self._stage.log.now_s()
        self._stage.log.add(
            msgspec.structs.replace(
                call,
                first_byte_s=now_s,
                ended_s=now_s,
                ended_by="complete",
                tokens_sent=plan.tokens,
                usage_reported=plan.usage,
            )
        )
        if close:
            self._transport.close()

    async def _perform(self, plan: Plan, segment_bytes: int, *, close: bool) -> None:
        index = cast("int", self._active)
        # Each write waits until the kernel has it, so a cut comes after the bytes before it.
        self._transport.set_write_buffer_limits(high=0)
        for step in plan.steps:
            if step.wait_s:
                await asyncio.sleep(step.wait_s)
            for segment in _segments(_numbered(step.data, index), segment_bytes):
                self._transport.write(segment)
                await asyncio.sleep(0)
                await self._writable.wait()
            if step.data:
                self._stage.log.sent(index, step.tokens, step.usage)
            if step.cut is not None:
                self._cut(index, step.cut)
                return
        self._active = self._task = None
        self._stage.log.end(index, "complete")
        if close:
            self._transport.close()
        self._next()

    def _cut(self, index: int, cut: Cut) -> None:
        if cut != "stop":  # a stopped connection stays busy for ever
            self._active = self._task = None
        self._stage.log.end(index, "cut")
        if cut == "end":
            self._next()
        elif cut == "close":
            self._transport.close()
        elif cut == "reset":
            peer: socket.socket = self._transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self._transport.abort()

    def _leave(self, ended_by: EndedBy) -> None:
        """End the call under way, if there is one, and take no more of them."""
        index, self._active = self._active, None
        if index is not None and not self._stage.log.has_ended(index):
            self._stage.log.end(index, ended_by)
        if self._task is not None:
            self._task.cancel()
        self._waiting.clear()


def _must_close(behaviour: Behaviour) -> bool:
    return (
        behaviour.close_after
        or behaviour.until_close
        or behaviour.raw is not None
        or behaviour.content_length_error != 0
    )


def _numbered(data: bytes, index: int) -> bytes:
    return data.replace(CALL_NUMBER, b"%08d" % index)


def _segments(data: bytes, size: int) -> Iterator[bytes]:
    if not data:
        return
    if not size:
        yield data
        return
    for start in range(0, len(data), size):
        yield data[start : start + size]
