"""Connections to a provider: HTTP/1.1 on an `asyncio.Protocol`, one call at a time each.

The parser is httptools (llhttp, the parser of Node). A connection hands what arrives to a sink and
decides nothing itself: deadlines, formats and records belong to the attempt.
"""

import asyncio
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, cast

import httptools
from typing_extensions import override

from trimtab.errors import ProviderError, ProviderGarbage, ProviderTruncated, ProviderUnreachable

__all__ = ["AnswerSink", "UpstreamConnection"]

MAX_HEAD_BYTES = 64_000  # also of what frames a body: chunk sizes and trailers
_INFLATED_AT_ONCE = 1_000_000  # a compressed bomb is met by the sink's own limit, step by step
_WINDOW = {b"gzip": zlib.MAX_WBITS | 16, b"x-gzip": zlib.MAX_WBITS | 16, b"deflate": zlib.MAX_WBITS}
_DEFAULT_KEEP_ALIVE_S = 50.0


class AnswerSink(Protocol):
    """Where a connection puts the answer. Exactly one of `on_end` and `on_broken` comes last."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """Status and headers (lower-case names) have arrived."""
        ...

    def on_data(self, data: bytes) -> None:
        """Some of the body, decoded from chunks and compression."""
        ...

    def on_end(self) -> None:
        """The body is complete by the rules of HTTP."""
        ...

    def on_broken(self, error: ProviderError) -> None:
        """It will never be complete. The connection is closed."""
        ...


class _Inflater(Protocol):
    """What `zlib.decompressobj` returns."""

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


class UpstreamConnection(asyncio.Protocol):
    """One connection. Free, or busy with one call; after an error it is closed.

    Attributes:
        reused: it has served a call before, so the peer may have closed it unseen.
        answered: a byte of the present answer has arrived.
        paused: it is not read from, because the caller is slower than the provider.
        keep_alive_s: how long the peer says it keeps a free connection, or a cautious guess.
        free_since_s: monotonic time at which it became free; kept by the pool.
    """

    def __init__(self) -> None:
        self.reused = False
        self.answered = False
        self.keep_alive_s = _DEFAULT_KEEP_ALIVE_S
        self.free_since_s = 0.0
        self._transport: asyncio.Transport | None = None
        self._sink: AnswerSink | None = None
        self.paused = False
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._framing_bytes = 0  # since the last piece of the body
        self._in_body = False
        self._until_close = False
        self._inflater: _Inflater | None = None
        self._on_chunk: Callable[[bytes], bool] | None = None
        self._between_chunks = False

    # ------------------------------------------------------------ what the attempt calls

    @property
    def is_open(self) -> bool:
        """Whether a call can be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    def is_fresh(self, now_s: float) -> bool:
        """Whether a free connection is open, and has not been free for too long to trust that."""
        return self.is_open and now_s - self.free_since_s < self.keep_alive_s

    def send(self, request: bytes, sink: AnswerSink) -> None:
        """Send one call; the answer goes to `sink`."""
        assert self._transport is not None
        assert self._sink is None
        self._sink = sink
        self.answered = False
        self._headers = {}
        self._framing_bytes = 0
        self._transport.write(request)

    def chunks_to(self, take: Callable[[bytes], bool]) -> None:
        """Show what arrives of the present body to `take` first, where a chunk may begin.

        What it returns True for is one whole chunk, and done with: the parser never sees it. (The
        parser may have had the first digits of its size; then what is left is of another size,
        unless they were zeros, which do not matter.)
        """
        self._on_chunk = take

    def redirect(self, sink: AnswerSink) -> None:
        """Send the rest of the present answer to another sink."""
        self._sink = sink
        self._on_chunk = None
        self.resume()

    def pause(self) -> None:
        """Stop reading: the caller is slower than the provider."""
        if self._transport is not None and not self.paused:
            self.paused = True
            with suppress(RuntimeError):  # closing
                self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and self.paused:
            self.paused = False
            with suppress(RuntimeError):
                self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once, throwing away what is under way. The sink hears nothing more."""
        self._sink = self._on_chunk = None
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------ asyncio.Protocol

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._on_chunk is not None and self._between_chunks and self._on_chunk(data):
            return
        if self._sink is None:  # nobody asked: the peer is out of step
            self.abort()
            return
        self.answered = True
        self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, zlib.error):
            self._fail(ProviderGarbage("The provider's answer is not valid HTTP."))
        except httptools.HttpParserUpgrade:
            self._fail(ProviderGarbage("The provider tried to change the protocol."))
        if self._framing_bytes > MAX_HEAD_BYTES:
            self._fail(ProviderGarbage("The provider's response headers never end."))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._sink is not None:
            self._break_off(exc)
        del self._parser  # which refers to this: no cycle is left behind

    def _break_off(self, exc: Exception | None) -> None:
        if self._until_close and self._in_body and exc is None:
            self._end()
        elif self.answered:
            self._fail(ProviderTruncated("The provider closed the connection in mid-answer."))
        else:
            self._fail(ProviderUnreachable("The provider closed the connection without answering."))

    # ------------------------------------------------------------ httptools callbacks

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if self._sink is None:  # a second answer to one request
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if not self._in_body:  # a trailer must not pass for a header
            self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        headers = self._headers
        self._in_body = True
        self._until_close = b"content-length" not in headers and b"transfer-encoding" not in headers
        encoding = headers.get(b"content-encoding", b"identity").lower()
        if encoding != b"identity":
            self._inflater = zlib.decompressobj(_WINDOW[encoding]) if encoding in _WINDOW else None
            if self._inflater is None:
                self._fail(ProviderGarbage("The provider used an encoding nobody asked for."))
                return
        if self._sink is not None:
            self._sink.on_head(status, headers)

    def on_body(self, data: bytes) -> None:
        """Called by the parser with a piece of body."""
        self._framing_bytes = 0
        if self._inflater is None:
            if self._sink is not None:
                self._sink.on_data(data)
            return
        while data and self._sink is not None:
            plain = self._inflater.decompress(data, _INFLATED_AT_ONCE)
            if plain:
                self._sink.on_data(plain)
            data = self._inflater.unconsumed_tail

    def on_chunk_header(self) -> None:
        """Called by the parser after the size of a chunk."""
        self._between_chunks = False

    def on_chunk_complete(self) -> None:
        """Called by the parser."""
        self._between_chunks = self._inflater is None

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if not self._in_body:  # 100 Continue and its kin
            self._headers = {}
            return
        if self._parser.should_keep_alive() and not self._until_close and self._all_sent:
            if b"keep-alive" in self._headers:
                self.keep_alive_s = _keep_alive_s(self._headers[b"keep-alive"])
            self._end()
        else:
            self._end()
            self.abort()

    @property
    def _all_sent(self) -> bool:
        """The request has left; an answer that came before may mean that nobody reads the rest."""
        return self._transport is not None and self._transport.get_write_buffer_size() == 0

    # ------------------------------------------------------------ endings

    def _end(self) -> None:
        sink, self._sink = self._sink, None
        self.reused = True
        self._on_chunk = None
        self._in_body = self._between_chunks = False
        self._inflater = None
        if sink is not None:
            sink.on_end()

    def _fail(self, error: ProviderError) -> None:
        sink = self._sink
        self.abort()
        if sink is not None:
            sink.on_broken(error)


def _keep_alive_s(header: bytes) -> float:
    """Seconds from `Keep-Alive: timeout=5`, a second less to be on the safe side."""
    for part in header.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name.lower() == b"timeout" and value.isdigit():
            return max(int(value) - 1.0, 0.0)
    return _DEFAULT_KEEP_ALIVE_S
