"""Every route that is not hot: the models and prompts on offer, how the gateway is, the console."""

import asyncio
import threading
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from trimtab.app import App
from trimtab.errors import MethodNotAllowed, TrimtabError, UnknownPath, reply_of
from trimtab.gateway.replies import error_body, error_headers
from trimtab.server.complaints import Complaints
from trimtab.server.feedback import feedback_routes
from trimtab.server.identify import check_local
from trimtab.server.prompts import prompt_routes
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["DEFECT", "build_routes"]

DEFECT = "Internal error. The gateway's log has the details."


def build_routes(app: App, clock: Clock, complaints: Complaints) -> Starlette:
    """The application behind the hot routes."""

    async def models(_request: Request) -> Response:
        names = sorted(app.gateway.serving.project.targets)
        return JSONResponse({"object": "list", "data": [described(name) for name in names]})

    async def model(request: Request) -> Response:
        return JSONResponse(described(request.path_params["name"]))

    def described(name: str) -> dict[str, Any]:
        target = app.gateway.serving.project.resolve(name)
        return {
            "id": name,
            "object": "model",
            "created": app.started_ns // NS_PER_S,
            "owned_by": target.rungs[0].ref.provider,
        }

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        app.check_ready()
        return JSONResponse({"status": "ready"})

    async def metrics(request: Request) -> Response:
        content_type, body = await app.metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            *prompt_routes(lambda: app.gateway.serving.prompts),
            *feedback_routes(app),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/console{rest:path}", _Console(app, clock, complaints)),
        ],
        exception_handlers={
            404: _unknown_path,
            405: _method_not_allowed,
            TrimtabError: _told,
            Exception: _defect,
        },
    )


class _Console:
    """The pages, loaded beside the traffic when one is first opened: most processes show none."""

    def __init__(self, app: App, clock: Clock, complaints: Complaints) -> None:
        self._app = app
        self._clock = clock
        self._complaints = complaints
        self._loading = threading.Lock()
        self._pages: Router | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pages = self._pages or await asyncio.to_thread(self._load)
        await pages(scope, receive, send)

    def _load(self) -> Router:
        with self._loading:
            if self._pages is None:
                self._pages = self._build()
            return self._pages

    def _build(self) -> Router:
        from trimtab.console.build import Sources, build_console  # noqa: PLC0415 - 4 MB that few need

        app = self._app
        sources = Sources(
            app.reader, app.keys, lambda: app.gateway.serving.project, app.experiments
        )
        complain = self._complaints.log
        return Router(
            build_console(sources, self._clock, check_local=check_local, complain=complain)
        )


async def _unknown_path(request: Request, _error: Exception) -> Response:
    return await _told(
        request,
        UnknownPath(
            "No such path. This gateway serves POST /v1/chat/completions, GET /v1/models, "
            "GET /v1/prompts/ID, POST /v1/feedback, /healthz, /readyz, /metrics, and /console for "
            "people."
        ),
    )


async def _method_not_allowed(request: Request, error: Exception) -> Response:
    headers = error.headers if isinstance(error, HTTPException) else None
    allowed = (headers or {}).get("Allow", "another method")
    return await _told(request, MethodNotAllowed(request.method, allowed))


async def _defect(request: Request, _error: Exception) -> Response:
    return await _told(request, TrimtabError(DEFECT))


async def _told(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TrimtabError)
    headers = {name.decode(): value.decode() for name, value in error_headers(error)}
    return Response(error_body(error), status_code=reply_of(error).status, headers=headers)
