"""Every route that is not hot: the models on offer, and whether the gateway is well."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trimtab.app import App
from trimtab.errors import MethodNotAllowed, TrimtabError, UnknownPath, reply_of
from trimtab.gateway.replies import error_body
from trimtab.types.clock import NS_PER_S

__all__ = ["build_routes"]


def build_routes(app: App) -> Starlette:
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
            "owned_by": target.ref.provider,
        }

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        app.check_ready()
        return JSONResponse({"status": "ready"})

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ],
        exception_handlers={
            404: _unknown_path,
            405: _method_not_allowed,
            TrimtabError: _told,
        },
    )


async def _unknown_path(request: Request, _error: Exception) -> Response:
    return await _told(
        request,
        UnknownPath(
            "No such path. This gateway serves POST /v1/chat/completions, GET /v1/models, "
            "/healthz and /readyz."
        ),
    )


async def _method_not_allowed(request: Request, _error: Exception) -> Response:
    return await _told(request, MethodNotAllowed(f"{request.method} is not allowed on this path."))


async def _told(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TrimtabError)
    return Response(
        error_body(error), status_code=reply_of(error).status, media_type="application/json"
    )
