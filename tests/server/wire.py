"""Both ends of the gateway as raw sockets: a caller that may do anything, and a provider too."""

import json
import re
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from harness import Gateway, wait_until
from trimtab.store.records import Event, EventQuery
from trimtab.testing import RunningFaultProvider

CHAT = "/v1/chat/completions"
_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() sends RST
_TIMEOUT_S = 10.0


class Answer(NamedTuple):
    """An answer as it came over the wire; header names in lower case, the body decoded."""

    status: int
    headers: dict[str, str]
    body: bytes
    version: str = "1.1"

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The content of a stream, its deltas joined."""
        return "".join(
            choice["delta"].get("content") or ""
            for event in self.events
            if event != "[DONE]"
            for choice in json.loads(event).get("choices", ())
        )

    @property
    def events(self) -> list[str]:
        """The data of a stream's events."""
        lines = self.body.decode().split("\n\n")
        return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]


class Caller:
    """A client connection to the gateway on which a test writes what it likes."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", receive_buffer: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(_TIMEOUT_S)
        try:
            self.socket.connect((host, port))
        except BaseException:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.socket.close()

    def read_answer(self, *, method: str = "POST") -> Answer:
        """The next whole answer."""
        version, status, headers = self.read_head()
        if status < 200 or method == "HEAD":
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = b"".join(iter(self.read_chunk, b""))
        elif "content-length" in headers:
            body = self._read_exactly(int(headers["content-length"]))
        else:
            body = self.read_rest()
        return Answer(status, headers, body, version)

    def read_head(self) -> tuple[str, int, dict[str, str]]:
        head = self.read_until(b"\r\n\r\n").decode("latin-1")
        line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        found = re.fullmatch(r"HTTP/(\d\.\d) (\d{3}) .+", line)
        assert found is not None, line
        pairs = [header.split(": ", 1) for header in lines]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs), f"a header came twice: {lines}"
        return found[1], int(found[2]), headers

    def read_chunk(self) -> bytes:
        size = int(self.read_until(b"\r\n"), 16)
        return self._read_exactly(size + 2)[:-2]

    def read_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._receive()
        found, _, self._buffer = self._buffer.partition(end)
        return found + end

    def read_rest(self) -> bytes:
        """Everything until the gateway closes the connection."""
        parts = [self._buffer]
        self._buffer = b""
        while data := self.socket.recv(1 << 20):
            parts.append(data)
        return b"".join(parts)

    def read_rest_or_reset(self) -> None:
        """Read until the end, whichever it is."""
        with suppress(ConnectionError):
            self.read_rest()

    def has_something(self, within_s: float) -> bool:
        """Something comes from the gateway, or the end, within so many seconds."""
        return bool(self._buffer) or bool(select.select([self.socket], [], [], within_s)[0])

    def is_closed(self) -> bool:
        """Wait for the gateway to close; whether it did so without another byte."""
        try:
            return self._buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _read_exactly(self, size: int) -> bytes:
        parts = [self._buffer]
        missing = size - len(self._buffer)
        while missing > 0:
            data = self.socket.recv(1 << 20)
            assert data, f"the connection ended {missing} bytes early"
            parts.append(data)
            missing -= len(data)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]

    def _receive(self) -> None:
        data = self.socket.recv(1 << 16)
        assert data, f"the connection ended after {self._buffer[-200:]!r}"
        self._buffer += data


def body_of(model: str = "fast", **fields: Any) -> bytes:
    """The body of a chat call."""
    return json.dumps(
        {"model": model, "messages": [{"role": "user", "content": "hi"}]} | fields
    ).encode()


def post(body: bytes, *headers: str, version: str = "1.1", target: str = CHAT) -> bytes:
    """A chat call with a Content-Length."""
    length = f"content-length: {len(body)}"
    return head(f"POST {target} HTTP/{version}", *headers, length) + body


def chat(model: str = "fast", **fields: Any) -> bytes:
    return post(body_of(model, **fields))


def head(line: str, *headers: str) -> bytes:
    """Request line and headers; the usual Host unless one is given."""
    given = any(header.lower().startswith("host:") for header in headers)
    lines = [line, *([] if given else ["Host: localhost"]), *headers]
    return "".join(f"{text}\r\n" for text in (*lines, "")).encode("latin-1")


def chunked(body: bytes, size: int) -> bytes:
    """A chunked body."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def assert_error(answer: Answer, status: int, code: str) -> None:
    """An error in OpenAI's shape, with an id, and with nothing of our insides or of the prompt."""
    assert answer.status == status, answer
    error = answer.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code, error
    assert error["message"]
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"inf_\w+", answer.headers["x-request-id"]), answer.headers
    assert b"Traceback" not in answer.body
    assert b"trimtab/" not in answer.body


def stream_head(*headers: str) -> bytes:
    """The head of a provider's stream in chunks."""
    lines = ("HTTP/1.1 200 OK", "content-type: text/event-stream", *headers)
    return "".join(f"{line}\r\n" for line in (*lines, "transfer-encoding: chunked", "")).encode()


class RawServer:
    """A provider of which a test writes every byte. One thread for each connection.

    Args:
        tls: speak TLS.

    Attributes:
        connections: so many were accepted.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self._open: dict[threading.Thread, socket.socket] = {}
        self._play: Callable[[Peer], None] = lambda _: None
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, play: "Callable[[Peer], None]") -> None:
        """Serve each connection with `play` from now on; those that are open end."""
        self._play = play
        for thread, peer in list(self._open.items()):
            with suppress(OSError):
                peer.shutdown(socket.SHUT_WR)
            thread.join(_TIMEOUT_S)
            assert not thread.is_alive(), "the gateway keeps a connection that was closed"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(peer, self._play), daemon=True)
            self._open[thread] = peer
            thread.start()

    def _serve(self, peer: socket.socket, play: Callable[["Peer"], None]) -> None:
        with peer, suppress(OSError):
            peer.settimeout(_TIMEOUT_S)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                play(Peer(peer))
            else:
                with self._tls.wrap_socket(peer, server_side=True) as wrapped:
                    self._open[threading.current_thread()] = wrapped
                    play(Peer(wrapped))
        del self._open[threading.current_thread()]

    def close(self) -> None:
        self._listener.close()


class Peer:
    """One connection of the gateway to a `RawServer`."""

    def __init__(self, peer: socket.socket) -> None:
        self.socket = peer
        self.sent = 0

    def read_request(self) -> bytes:
        """The body of the next request; b"" if the connection ended instead."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.socket.recv(1 << 16)
            if not more:
                return b""
            data += more
        header, _, body = data.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", header)
        assert found is not None
        while len(body) < int(found[1]):
            body += self.socket.recv(1 << 16)
        return body

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)
        self.sent += len(data)

    def wait_closed(self) -> None:
        while self.socket.recv(1 << 16):
            pass


class Stage(NamedTuple):
    """A gateway between a fault provider (`fast`, `fault:...`) and a raw one (`raw`)."""

    gateway: Gateway
    provider: RunningFaultProvider
    raw: RawServer

    @contextmanager
    def caller(self, *, receive_buffer: int = 0) -> Generator[Caller]:
        with Caller(self.gateway.port, receive_buffer=receive_buffer) as caller:
            yield caller

    def ask(self, request: bytes, *, method: str = "POST") -> Answer:
        """One request on a connection of its own."""
        with self.caller() as caller:
            caller.send(request)
            return caller.read_answer(method=method)

    def assert_well(self) -> None:
        """The gateway serves others, and has not said anything of a defect."""
        assert self.ask(chat()).status == 200
        assert not [line for line in self.gateway.output if "Traceback" in line or "defect" in line]

    def event(self, request_id: str) -> Event:
        """What went on record."""
        return wait_until(lambda: self.gateway.reader().event(request_id))

    def events(self, user: str, count: int = 1) -> list[Event]:
        """The events of an end user, as soon as there are `count`."""

        def found() -> list[Event] | None:
            query = EventQuery(since_ns=0, until_ns=1 << 62, limit=100, where={"user": user})
            events = self.gateway.reader().event_page(query).events
            return events if len(events) >= count else None

        return wait_until(found)


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * 4096
