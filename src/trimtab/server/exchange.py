"""One request and the means to answer it."""

from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from typing_extensions import override

from trimtab.gateway.outlet import Outlet, OutletListener

__all__ = ["Exchange", "Wire"]

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Wire(Protocol):
    """What an exchange needs of its connection."""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def exchange_over(self, exchange: "Exchange") -> None:
        """The answer is complete."""
        ...

    def failed(self, exchange: "Exchange", error: Exception) -> None:
        """The answer, or the rest of it, will not come."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Exchange(Outlet):
    """A request, complete with its body, and its answer as far as it has got.

    Attributes:
        request_id: sent back as `x-request-id`; set by whoever serves the exchange.
        method: upper case.
        target: path and query as they came.
        headers: lower-case names; of repeated ones the last.
        raw_headers: lower-case names, as many as came, in their order.
        body: whole.
        keep_alive: the connection may serve another request afterwards.
    """

    # Where most requests leave them, so that not each one pays for setting them.
    _gone = False
    _notes = b""
    _started = False
    request_id = ""
    method = ""
    target = b""
    raw_headers: list[tuple[bytes, bytes]] = []  # noqa: RUF012 - replaced, never filled
    headers: dict[bytes, bytes] = {}  # noqa: RUF012 - replaced before it is filled
    body = b""
    keep_alive = True
    chunked = True
    listener: OutletListener | None = None

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def use_absolute_target(self) -> None:
        """Read a target of the form `http://host/path`: its host counts (RFC 9112, 3.2.2)."""
        parts = urlsplit(self.target)
        if parts.scheme in {b"http", b"https"} and parts.netloc:
            self.headers[b"host"] = parts.netloc
            self.target = (parts.path or b"/") + (b"?" + parts.query if parts.query else b"")

    # ------------------------------------------------------------ Outlet

    @property
    @override
    def gone(self) -> bool:
        return self._gone

    @property
    @override
    def started(self) -> bool:
        return self._started

    @override
    def note(self, lines: bytes) -> None:
        self._notes += lines

    @override
    def send(self, status: int, headers: bytes, body: bytes) -> None:
        if self._gone or self._started:
            return
        self._started = True
        length = b"content-length: %d\r\n" % len(body)
        if self.method == "HEAD":
            body = b""
        self._wire.write(self._answer(status, headers, length, body=body))
        self._wire.exchange_over(self)

    @override
    def fail(self, error: Exception) -> None:
        self._wire.failed(self, error)

    @override
    def start(self, status: int, headers: bytes) -> None:
        if self._gone or self._started:
            return
        self._started = True
        framing = b"transfer-encoding: chunked\r\n" if self.chunked else b""
        self._wire.write(self._answer(status, headers, framing))

    @override
    def write(self, data: bytes) -> None:
        if self._gone or not data or self.method == "HEAD":
            return
        if self.chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        self._wire.write(data)

    @override
    def write_chunk(self, chunk: bytes) -> None:
        if self.chunked and not self._gone and self.method != "HEAD":
            self._wire.write(chunk)
        else:
            self.write(chunk[chunk.index(b"\r\n") + 2 : -2])

    @override
    def end(self) -> None:
        if self._gone:
            return
        if self.chunked and self.method != "HEAD":
            self._wire.write(b"0\r\n\r\n")
        self._wire.exchange_over(self)

    # ------------------------------------------------------------ what the connection calls

    def break_off(self) -> None:
        """Close the connection in mid-answer, so that nobody takes it for complete."""
        self._wire.abort()

    def caller_left(self) -> None:
        """The connection is closed; whatever is written from now on goes nowhere."""
        self._gone = True
        listener, self.listener = self.listener, None  # no cycle is left behind
        if listener is not None:
            listener.on_gone()

    def _answer(self, status: int, headers: bytes, framing: bytes, *, body: bytes = b"") -> bytes:
        line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d Unknown\r\n" % status
        id_line = b"x-request-id: %b\r\n" % self.request_id.encode()
        close = b"" if self.keep_alive else b"connection: close\r\n"
        return b"".join((line, id_line, headers, self._notes, close, framing, b"\r\n", body))
