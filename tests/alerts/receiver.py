"""A receiver of webhooks: a real HTTP server on loopback that answers as it is told."""

import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from typing_extensions import override

from trimtab.config.alerts import Webhook
from trimtab.config.secret import Secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw0123456789ab"


class Request(NamedTuple):
    """One POST. Header names are lower-case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def alert_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def key(self) -> str:
        return self.json["data"]["key"]


class Planned(msgspec.Struct):
    """How to answer; `delay` is waited for first."""

    status: int = 204
    headers: dict[str, str] = {}
    body: bytes = b""
    delay: threading.Event | None = None


class Receiver:
    """What arrived, and what is answered next.

    Attributes:
        plan: answers in their order; when it is used up, `usual`.
    """

    def __init__(self, port: int, tls: tuple[Path, Path] | None) -> None:
        self.requests: list[Request] = []
        self.plan: list[Planned] = []
        self.usual = Planned()
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                lower = {name.lower(): value for name, value in self.headers.items()}
                planned = receiver.take(Request(self.path, lower, body))
                if planned.delay is not None:
                    planned.delay.wait(30)
                self.send_response(planned.status)
                for name, value in planned.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(planned.body)))
                self.end_headers()
                self.wfile.write(planned.body)

            @override
            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            @override
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # callers that leave, and handshakes that fail, are what some tests are about

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.scheme = "http"
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hooks/token-in-the-path?x=1"

    def take(self, request: Request) -> Planned:
        with self._lock:
            self.requests.append(request)
            return self.plan.pop(0) if self.plan else self.usual

    def ids(self) -> list[str]:
        return [request.alert_id for request in self.requests]

    def keys(self) -> list[str]:
        return [request.key for request in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@contextmanager
def running_receiver(port: int = 0, tls: tuple[Path, Path] | None = None) -> Generator[Receiver]:
    receiver = Receiver(port, tls)
    try:
        yield receiver
    finally:
        receiver.close()


def webhook(url: str, **changes: Any) -> Webhook:
    values: dict[str, Any] = {"name": "ops", "address": Secret(url), "secret": Secret(SECRET)}
    return Webhook(**(values | changes))


def free_port() -> int:
    """A port at which nobody listens, now."""
    with running_receiver() as receiver:
        return receiver.port
