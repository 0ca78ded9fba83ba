"""Hands an exchange to an ASGI application: for every route that is not hot."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp

from trimtab.gateway.outlet import header_lines
from trimtab.server.exchange import Exchange

__all__ = ["serve_asgi"]


async def serve_asgi(app: ASGIApp, exchange: Exchange) -> None:
    """Let `app` answer `exchange`. The body is complete, so there is nothing to stream in."""
    path, _, query = exchange.target.partition(b"?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": exchange.method,
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": exchange.raw_headers,
        "client": None,
        "server": None,
    }
    received = False
    status = 500
    headers = b""

    async def receive() -> dict[str, Any]:
        nonlocal received
        if received:
            return {"type": "http.disconnect"}
        received = True
        return {"type": "http.request", "body": exchange.body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = header_lines(h for h in message["headers"] if h[0] != b"content-length")
        elif message["type"] == "http.response.body":
            body: bytes = message.get("body", b"")
            if not message.get("more_body") and not exchange.started:
                exchange.send(status, headers, body)
                return
            exchange.start(status, headers)
            exchange.write(body)
            if not message.get("more_body"):
                exchange.end()

    await app(scope, receive, send)
