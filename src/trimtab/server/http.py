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

from trimtab.errors import HeadersTooLarge, MalformedRequest, RequestError, RequestTooLarge
from trimtab.server.exchange import Exchange, Wire

__all__ = ["HttpConnection", "Limits"]

_MAX_WAITING = 16
_MAX_HEADERS = 100


class Limits(NamedTuple):
    """Bounds of what a caller may send, and how slowly.

    Attributes:
        head_bytes: request line and headers together.
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
        reject: called with a request that is refused as it stands, and why; answers it at once.
        closed: called when the connection is.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        serve: Callable[[Exchange], None],
        reject: Callable[[Exchange, RequestError], None],
        closed: Callable[["HttpConnection"], None],
    ) -> None:
        self._limits = limits
        self._serve = serve
        self._reject = reject
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._incoming = Exchange(self)
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._in_body = False
        self._reading = False  # a request has begun and is not complete
        self._refused = False  # what still comes is read and thrown away
        self._draining = False
        self._active: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._since_s = self._loop.time()
        self._stalled_s: float | None = None

    # ------------------------------------------------------------ asyncio.Protocol

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._in_body:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes and b"\r\n\r\n" not in data:
                self._refuse(HeadersTooLarge("The request headers are too large."))
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refused = True  # the request itself is served; what follows is not HTTP
        except httptools.HttpParserError:
            self._refuse(MalformedRequest("This is not a valid HTTP/1.1 request."))

    @override
    def eof_received(self) -> bool:
        return False  # a caller that stops sending is gone: close, and cancel what it asked for

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed(self)
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

    # ------------------------------------------------------------ httptools callbacks

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._incoming = Exchange(self)
        self._body = []
        self._body_bytes = 0
        self._reading = True
        self._since_s = self._loop.time()

    def on_url(self, url: bytes) -> None:
        """Called by the parser, once or in pieces."""
        self._incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        exchange = self._incoming
        name = name.lower()
        exchange.raw_headers.append((name, value))
        exchange.headers[name] = value

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        exchange = self._incoming
        self._in_body = True
        exchange.method = self._parser.get_method().decode("ascii")
        exchange.keep_alive = self._parser.should_keep_alive() and not self._draining
        exchange.chunked = self._parser.get_http_version() != "1.0"
        if not exchange.chunked:
            exchange.keep_alive = False
        headers = exchange.headers
        if len(exchange.raw_headers) > _MAX_HEADERS:
            self._refuse(HeadersTooLarge(f"More than {_MAX_HEADERS} headers."))
        elif int(headers.get(b"content-length", b"0")) > self._limits.body_bytes:
            self._refuse_body()
        elif headers.get(b"expect", b"").lower() == b"100-continue" and self._active is None:
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, data: bytes) -> None:
        """Called by the parser with a piece of body."""
        if self._refused:
            return
        self._body_bytes += len(data)
        if self._body_bytes > self._limits.body_bytes:
            self._refuse_body()
        else:
            self._body.append(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._in_body = False
        self._head_bytes = 0
        self._reading = False
        if self._refused:
            return
        exchange = self._incoming
        exchange.body = b"".join(self._body) if len(self._body) != 1 else self._body[0]
        self._body = []
        if self._active is None:
            self._active = exchange
            self._serve(exchange)
        else:
            self._waiting.append(exchange)
            if len(self._waiting) > _MAX_WAITING:
                self.abort()

    # ------------------------------------------------------------ Wire

    @override
    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    @override
    def exchange_over(self, exchange: Exchange) -> None:
        if self._active is not exchange:
            return
        self._active = None
        self._since_s = self._loop.time()
        if not exchange.keep_alive or self._draining:
            self._close()
        elif self._waiting:
            self._active = self._waiting.popleft()
            self._serve(self._active)

    # ------------------------------------------------------------ refusing and closing

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
        self._body = []
        if self._active is not None:  # pipelined behind another: the order of answers would break
            self._waiting.clear()
            self._active.keep_alive = False
            return
        exchange = self._incoming
        exchange.keep_alive = False
        self._active = exchange
        self._reject(exchange, error)

    def _close(self) -> None:
        transport = self._transport
        if transport is None:
            return
        if self._refused and transport.can_write_eof():
            transport.write_eof()
            self._loop.call_later(self._limits.linger_s, self.abort)
        else:
            transport.close()

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
        if self._stalled_s is not None:
            if now - self._stalled_s > limits.stall_s:
                self.abort()
        elif self._active is None:
            limit_s = limits.read_s if self._reading else limits.idle_s
            if now - self._since_s > limit_s:
                self.abort()
