"""HTTP/1.1 towards callers, on an `asyncio.Protocol` with httptools.

One request of a connection is served at a time; pipelined ones wait their turn. While an answer is
on its way the connection keeps reading, because that is how the end of a caller is noticed.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, cast

import httptools
from typing_extensions import override

from trimtab.errors import (
    HeadersTooLarge,
    MalformedRequest,
    MethodNotAllowed,
    RequestError,
    RequestTooLarge,
)
from trimtab.server.exchange import Exchange, Wire

__all__ = ["HttpConnection", "Limits"]

_MAX_WAITING = 16
_MAX_HEADERS = 100
_SINGLE = (b"host", b"authorization")  # sent twice, two readers could disagree on which one counts


class Limits(NamedTuple):
    """Bounds of what a caller may send, and how slowly.

    Attributes:
        head_bytes: request line and headers together; also of what frames a body.
        read_s: seconds in which a request must arrive once it has begun.
        idle_s: seconds that a connection may stay open between requests.
        stall_s: seconds that a caller may take no bytes of an answer.
        linger_s: seconds in which a refused body is read on, so that the refusal is seen.
    """

    body_bytes: int = 20_000_000
    head_bytes: int = 32_000
    read_s: float = 60.0
    idle_s: float = 75.0
    stall_s: float = 60.0
    linger_s: float = 2.0


class HttpConnection(asyncio.Protocol, Wire):
    """One connection of a caller.

    Args:
        limits: what it may send.
        serve: called with each complete request; answers it sooner or later.
        fail: called with a request and why it will not be answered (to the end); tells the caller.
        closed: called when the connection is.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        serve: Callable[[Exchange], None],
        fail: Callable[[Exchange, Exception], None],
        closed: Callable[["HttpConnection"], None],
    ) -> None:
        self._limits = limits
        self._serve = serve
        self._fail = fail
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._incoming = Exchange(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: bytes | bytearray = b""  # one piece as it came, or several in one place
        self._framing_bytes = 0  # since the last piece of a body, or the last complete request
        self._upgrade_offered = False
        self._reading = False  # a request has begun and is not complete
        self._refused = False  # what still comes is read and thrown away
        self._draining = False
        self._active: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._since_s = self._loop.time()
        self._stalled_s: float | None = None
        self._untaken = 0  # bytes that waited for the caller when the clock was last looked at

    # ------------------------------------------------------------ asyncio.Protocol

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._framing_bytes += len(data)
        while data:
            try:
                self._parser.feed_data(data)
                break
            except httptools.HttpParserUpgrade as offer:
                data = self._without_offer(data, offer.args[0])
            except httptools.HttpParserError:
                self._refuse(MalformedRequest("This is not a valid HTTP/1.1 request."))
                return
        if self._framing_bytes > self._limits.head_bytes:
            self._refuse_head()

    def _without_offer(self, data: bytes, end: int) -> bytes:
        """What has to be parsed again after the head that offers a change of protocol."""
        if self._incoming.method == "CONNECT":
            self._refuse(MethodNotAllowed("CONNECT", "GET or POST"))
            return b""
        # No protocol is changed here, so the request means what it means without the offer.
        # The parser takes its body for the other protocol; so it gets the head once more.
        return self._head_without_offer() + data[end:]

    def _head_without_offer(self) -> bytes:
        incoming = self._incoming
        version = self._parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (incoming.method.encode(), incoming.target, version)]
        lines += [b"%b: %b" % pair for pair in incoming.raw_headers if pair[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    @override
    def eof_received(self) -> bool:
        # A caller that stops sending is gone: cancel what it asked for, send what is left, close.
        self._leave()
        return False

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed(self)
        self._leave()
        del self._parser, self._incoming  # which refer to this: no cycle is left behind

    def _leave(self) -> None:
        self._waiting.clear()
        active, self._active = self._active, None
        if active is not None:
            active.caller_left()

    @override
    def pause_writing(self) -> None:
        self._stalled_s = self._loop.time()
        if self._active is not None and self._active.listener is not None:
            self._active.listener.on_paused()

    @override
    def resume_writing(self) -> None:
        self._stalled_s = None
        if self._active is not None and self._active.listener is not None:
            self._active.listener.on_resumed()
        self._serve_next()

    # ------------------------------------------------------------ httptools callbacks

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._incoming = Exchange(self)
        self._headers = []
        self._body = b""
        self._reading = True
        self._since_s = self._loop.time()

    def on_url(self, url: bytes) -> None:
        """Called by the parser, once or in pieces."""
        self._incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        exchange, parser = self._incoming, self._parser
        raw = exchange.raw_headers = self._headers
        headers = exchange.headers = dict(raw)
        self._headers = []  # where trailers end, which must not pass for headers
        exchange.method = parser.get_method().decode()
        upgrades = self._upgrade_offered = parser.should_upgrade()
        if upgrades or self._refused:
            return
        if self._draining or not parser.should_keep_alive():
            exchange.keep_alive = False
        if parser.get_http_version() != "1.1" and not self._takes_old(exchange):
            self._refuse(MalformedRequest("This is not a valid HTTP/1.1 request."))
            return
        if not exchange.target.startswith(b"/"):
            exchange.use_absolute_target()
        limits, count = self._limits, len(raw)
        doubtful = self._framing_bytes > limits.head_bytes or self._active is not None
        if count > _MAX_HEADERS or (doubtful and self._head_too_large(exchange)):
            self._refuse_head()
        elif count != len(headers) and _any_repeated(raw):
            self._refuse(MalformedRequest("A header that may come once came twice."))
        elif int(headers.get(b"content-length", b"0")) > limits.body_bytes:
            self._refuse_body()
        elif b"expect" in headers and self._wants_to_be_asked(exchange):
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _takes_old(self, exchange: Exchange) -> bool:
        """Whether a request of another version can be answered: one of HTTP/1.0, and no more."""
        exchange.keep_alive = exchange.chunked = False
        return self._parser.get_http_version() == "1.0"

    def _wants_to_be_asked(self, exchange: Exchange) -> bool:
        expected = exchange.headers[b"expect"].lower()
        return expected == b"100-continue" and exchange.chunked and self._active is None

    def _head_too_large(self, exchange: Exchange) -> bool:
        pairs = sum(len(name) + len(value) + 4 for name, value in exchange.raw_headers)
        return len(exchange.target) + pairs > self._limits.head_bytes

    def on_body(self, data: bytes) -> None:
        """Called by the parser with a piece of body."""
        if self._refused:
            return
        self._framing_bytes = 0
        self._body = body = self._gathered(data) if self._body else data
        if len(body) > self._limits.body_bytes:
            self._refuse_body()

    def _gathered(self, data: bytes) -> bytearray:
        """What has come of a body, with its next piece."""
        if not isinstance(self._body, bytearray):
            return bytearray(self._body + data)
        self._body += data
        return self._body

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._upgrade_offered:
            return
        self._framing_bytes = 0
        self._reading = False
        if self._refused:
            return
        exchange = self._incoming
        exchange.body = bytes(self._body)
        self._body = b""
        if self._active is None and self._stalled_s is None and not self._waiting:  # nearly always
            self._active = exchange
            self._serve(exchange)
        else:
            self._waiting.append(exchange)
            self._serve_next()
            self._check_waiting()

    def _check_waiting(self) -> None:
        waiting_bytes = sum(len(exchange.body) for exchange in self._waiting)
        if len(self._waiting) > _MAX_WAITING or waiting_bytes > self._limits.body_bytes:
            self.abort()

    def _serve_next(self) -> None:
        """Serve the next request, if there is one, when the caller has taken the last answer."""
        if self._waiting and self._active is None and self._stalled_s is None:
            self._active = self._waiting.popleft()
            self._serve(self._active)

    # ------------------------------------------------------------ Wire

    @override
    def write(self, data: bytes) -> None:
        transport = self._transport
        if transport is not None:
            transport.write(data)

    @override
    def failed(self, exchange: Exchange, error: Exception) -> None:
        self._fail(exchange, error)

    @override
    def exchange_over(self, exchange: Exchange) -> None:
        if self._active is not exchange:
            return
        self._active = exchange.listener = None
        self._since_s = self._loop.time()
        if not exchange.keep_alive or self._draining:
            self._close()
        elif self._waiting:
            self._serve_next()

    # ------------------------------------------------------------ refusing and closing

    def _refuse_head(self) -> None:
        limit = self._limits.head_bytes
        self._refuse(
            HeadersTooLarge(
                f"The request headers are too large: at most {limit} bytes and {_MAX_HEADERS} "
                "headers. Send less."
            )
        )

    def _refuse_body(self) -> None:
        limit = self._limits.body_bytes
        self._refuse(
            RequestTooLarge(
                f"The request body is larger than {limit} bytes. Send less, or raise "
                "server.max_body_bytes in trimtab.toml."
            )
        )

    def _refuse(self, error: RequestError) -> None:
        """Answer at once, then read on for a moment.

        A close with unread bytes would be a reset, and the caller would never see the answer.
        """
        if self._refused:
            return
        self._refused = True
        self._body = b""
        if self._active is not None:  # pipelined behind another: the order of answers would break
            self._waiting.clear()
            self._active.keep_alive = False
            return
        exchange = self._incoming
        exchange.keep_alive = False
        self._active = exchange
        self.failed(exchange, error)

    def _close(self) -> None:
        transport = self._transport
        if transport is None:
            return
        if self._refused and transport.can_write_eof():
            transport.write_eof()
            self._loop.call_later(self._limits.linger_s, self.abort)
        else:
            transport.close()

    @override
    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def begin_drain(self) -> None:
        """Serve what has been asked for, then close."""
        self._draining = True
        if self._active is None:
            self._close()
        else:
            self._waiting.clear()
            self._active.keep_alive = False

    def check_time(self) -> None:
        """Close the connection if the caller has taken too long over anything."""
        now = self._loop.time()
        limits = self._limits
        if self._stalled_s is not None and self._transport is not None:
            untaken = self._transport.get_write_buffer_size()
            if untaken != self._untaken:
                self._untaken, self._stalled_s = untaken, now
            elif now - self._stalled_s > limits.stall_s:
                self.abort()
        elif self._active is None:
            limit_s = limits.read_s if self._reading else limits.idle_s
            if now - self._since_s > limit_s:
                self.abort()


def _any_repeated(headers: list[tuple[bytes, bytes]]) -> bool:
    names = [name for name, _ in headers]
    return any(names.count(name) > 1 for name in _SINGLE)
