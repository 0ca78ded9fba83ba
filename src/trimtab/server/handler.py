"""Serves one exchange: the hot route by the gateway, all others by the ASGI application."""

import asyncio
import logging

from starlette.types import ASGIApp

from trimtab.app import App
from trimtab.errors import (
    CallerGone,
    MethodNotAllowed,
    ProviderRefused,
    RequestError,
    ShuttingDown,
    TrimtabError,
    reply_of,
)
from trimtab.gateway.replies import error_body, error_headers
from trimtab.server.asgi import serve_asgi
from trimtab.server.complaints import Complaints
from trimtab.server.exchange import Exchange
from trimtab.server.identify import identify
from trimtab.server.routes import DEFECT, build_routes
from trimtab.types.clock import Clock

__all__ = ["Handler"]

_log = logging.getLogger("trimtab.server")

_OPEN_PATHS = frozenset((b"/healthz", b"/readyz"))
_CONSOLE = b"/console"


class Handler:
    """Answers exchanges. Whatever happens, the caller gets an answer in OpenAI's shape."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._complaints = Complaints(_log, clock)
        self._routes: ASGIApp = build_routes(app, clock, self._complaints)
        self.stopping = False

    async def serve(self, exchange: Exchange) -> None:
        """Serve one exchange to its end. Nothing is raised but cancellation."""
        exchange.request_id = self._app.gateway.new_inference_id()
        try:
            try:
                await self._route(exchange)
            except CallerGone:
                pass
            except TrimtabError as error:
                self._tell(exchange, error)
        except asyncio.CancelledError:  # the drain time is over; nothing is sent twice
            self._tell(exchange, ShuttingDown("The gateway was stopped. Try again elsewhere."))
            raise
        except Exception:  # noqa: BLE001 - the last line: a defect of ours must not end the server
            _log.exception("defect while serving %s", exchange.request_id)
            if exchange.started:
                exchange.break_off()
            else:
                self._tell(exchange, TrimtabError(DEFECT))

    async def _route(self, exchange: Exchange) -> None:
        if self.stopping:
            raise ShuttingDown("The gateway is shutting down. Try again in a few seconds.")
        if exchange.path == b"/v1/chat/completions":
            await self._chat(exchange)
        else:
            if not _lets_in_itself(exchange.path):
                identify(exchange, self._app.keys)
            await serve_asgi(self._routes, exchange)

    async def _chat(self, exchange: Exchange) -> None:
        if exchange.method != "POST":
            raise MethodNotAllowed(exchange.method, "POST")
        caller = identify(exchange, self._app.keys)
        await self._app.gateway.infer(
            exchange.request_id, exchange.body, caller=caller, outlet=exchange
        )

    def reject(self, exchange: Exchange, error: RequestError) -> None:
        """Answer a request that is refused before it is complete."""
        exchange.request_id = self._app.gateway.new_inference_id()
        self._tell(exchange, error)

    def _tell(self, exchange: Exchange, error: TrimtabError) -> None:
        reply = reply_of(error)
        status = error.status if isinstance(error, ProviderRefused) else reply.status
        if reply.level > logging.INFO:
            self._complaints.log(reply.level, reply.code, f"{exchange.request_id}: {error}")
        exchange.send(status, error_headers(error), error_body(error))


def _lets_in_itself(path: bytes) -> bool:
    """Open to all, or the console, which asks for a session instead of a key."""
    return path in _OPEN_PATHS or path == _CONSOLE or path.startswith(_CONSOLE + b"/")
