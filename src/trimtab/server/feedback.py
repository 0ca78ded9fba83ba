"""`POST /v1/feedback`: what users say of inferences, under a key or with a token."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trimtab.app import App
from trimtab.errors import MethodNotAllowed, TrimtabError, reply_of
from trimtab.feedback.intake import Taken
from trimtab.feedback.request import parse_said
from trimtab.gateway.replies import error_body, error_headers
from trimtab.server.identify import identify

__all__ = ["feedback_routes"]

# Any page may send a token: it is no cookie that a browser adds by itself.
_FOR_PAGES: Final = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "content-type",
    "access-control-allow-methods": "POST",
    "access-control-max-age": "86400",
}


class _Asked(NamedTuple):
    headers: Mapping[bytes, bytes]


def feedback_routes(app: App) -> list[Route]:
    """The route. Nothing was checked before."""

    def gives_tokens() -> bool:
        return app.gateway.serving.project.feedback.tokens is not None

    async def feedback(request: Request) -> Response:
        for_pages = _FOR_PAGES if gives_tokens() else {}
        if request.method == "OPTIONS":
            if not for_pages:
                raise MethodNotAllowed(request.method, "POST")
            return Response(status_code=204, headers=for_pages)
        try:
            body = await answer(request)
        except TrimtabError as error:  # as everywhere, and so that a page can read it
            headers = {name.decode(): value.decode() for name, value in error_headers(error)}
            status = reply_of(error).status
            return Response(error_body(error), status_code=status, headers=headers | for_pages)
        return JSONResponse(body, headers=for_pages)

    async def answer(request: Request) -> dict[str, Any]:
        asked = _Asked(dict(request.headers.raw))
        said, several = parse_said(await request.body())
        taken = await app.feedback.take(said, lambda: identify(asked, app.keys))
        told = [_told(one) for one in taken]
        return {"object": "list", "data": told} if several else told[0]

    return [Route("/v1/feedback", feedback, methods=["POST", "OPTIONS"])]


def _told(taken: Taken) -> dict[str, Any]:
    feedback = taken.feedback
    return {
        "object": "feedback",
        "inference_id": feedback.inference_id,
        "metric": feedback.metric,
        "value": feedback.value,
        "comment_kept": taken.comment_kept,
    }
