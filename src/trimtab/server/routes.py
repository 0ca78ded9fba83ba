"""Every route that is not hot: the models on offer, and whether the gateway is well."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trimtab.app import App
from trimtab.errors import MethodNotAllowed, TrimtabError, UnknownPath, reply_of
from trimtab.gateway.replies import error_body

__all__ = ["build_routes"]


def build_routes(app: App) -> Starlette:
    """The application behind the hot routes."""

    async def models(_request: Request) -> Response:
        created_s = app.started_ns // 1_000_000_000
        data = [
            {
                "id": name,
                "object": "model",
                "created": created_s,
                "owned_by": target.ref.provider,
            }
            for name, target in sorted(app.gateway.serving.project.targets.items())
        ]
        return JSONResponse({"object": "list", "data": data})

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        app.check_ready()
        return JSONResponse({"status": "ready"})

    return Starlette(
        routes=[
            Route("/v1/models", models),
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
