"""Serves one exchange: the hot route by the gateway, all others by the ASGI application."""

import asyncio
import logging

from starlette.types import ASGIApp

from trimtab.app import App
from trimtab.errors import (
    CallerGone,
    MethodNotAllowed,
    ProviderRefused,
    ShuttingDown,
    TrimtabError,
    reply_of,
)
from trimtab.gateway.outlet import header_lines
from trimtab.gateway.replies import error_body, error_headers
from trimtab.server.asgi import serve_asgi
from trimtab.server.complaints import Complaints
from trimtab.server.exchange import Exchange
from trimtab.server.identify import Callers
from trimtab.server.routes import DEFECT, build_routes
from trimtab.types.clock import Clock

__all__ = ["Handler"]

_log = logging.getLogger("trimtab.server")

# Feedback may come with a token in place of a key, so it is asked where the body is read.
_OPEN_PATHS = frozenset((b"/healthz", b"/readyz", b"/v1/feedback"))
_CONSOLE = b"/console"


class Handler:
    """Answers exchanges. Whatever happens, the caller gets an answer in OpenAI's shape.

    Attributes:
        stopping: new work is refused.
        tasks: what answers the routes that are not hot.
    """

    def __init__(self, app: App, clock: Clock) -> None:
        self._gateway = app.gateway
        self._callers = Callers(app.keys)
        self._complaints = Complaints(_log, clock)
        self._routes: ASGIApp = build_routes(app, clock, self._complaints)
        self.stopping = False
        self.tasks: set[asyncio.Task[None]] = set()

    def serve(self, exchange: Exchange) -> None:
        """Begin to serve one exchange. Nothing is raised."""
        exchange.request_id = self._gateway.new_inference_id()
        try:
            self._route(exchange)
        except Exception as error:  # noqa: BLE001 - the last line: a defect must not end the server
            self.fail(exchange, error)

    def fail(self, exchange: Exchange, error: Exception) -> None:
        """Tell the caller of `exchange` as much of `error` as can still be told."""
        if isinstance(error, CallerGone):
            return
        exchange.request_id = exchange.request_id or self._gateway.new_inference_id()
        if isinstance(error, TrimtabError):
            self._tell(exchange, error)
            return
        _log.error("defect while serving %s", exchange.request_id, exc_info=error)
        if exchange.started:
            exchange.break_off()
        else:
            self._tell(exchange, TrimtabError(DEFECT))

    def _route(self, exchange: Exchange) -> None:
        if self.stopping:
            raise ShuttingDown("The gateway is shutting down. Try again in a few seconds.")
        path = exchange.target.partition(b"?")[0]
        if path == b"/v1/chat/completions":
            self._chat(exchange)
            return
        if not _lets_in_itself(path):
            self._callers.of(exchange)
        task = self._gateway.spawn(self._serve_asgi(exchange))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _chat(self, exchange: Exchange) -> None:
        if exchange.method != "POST":
            raise MethodNotAllowed(exchange.method, "POST")
        caller = self._callers.of(exchange)
        headers = exchange.headers
        idempotency_key = headers.get(b"idempotency-key")
        self._gateway.infer(
            exchange.request_id,
            exchange.body,
            caller=caller,
            tried_before=headers.get(b"x-stainless-retry-count", b"0") != b"0",
            idempotency_key=idempotency_key[:256].decode("latin-1") if idempotency_key else "",
            outlet=exchange,
        )

    async def _serve_asgi(self, exchange: Exchange) -> None:
        try:
            await serve_asgi(self._routes, exchange)
        except asyncio.CancelledError:  # the drain time is over; nothing is sent twice
            self.fail(exchange, ShuttingDown("The gateway was stopped. Try again elsewhere."))
            raise
        except Exception as error:  # noqa: BLE001 - as in `serve`
            self.fail(exchange, error)

    def _tell(self, exchange: Exchange, error: TrimtabError) -> None:
        reply = reply_of(error)
        status = error.status if isinstance(error, ProviderRefused) else reply.status
        if reply.level > logging.INFO:
            self._complaints.log(reply.level, reply.code, f"{exchange.request_id}: {error}")
        exchange.send(status, header_lines(error_headers(error)), error_body(error))


def _lets_in_itself(path: bytes) -> bool:
    """Open to all, or with another proof than a key: feedback, and the console."""
    return path in _OPEN_PATHS or path == _CONSOLE or path.startswith(_CONSOLE + b"/")
