"""`GET /v1/prompts/ID`: a version of a prompt with its files, for clients that render."""

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trimtab.releases.serving import PromptDesk, Served
from trimtab.server.identify import named

__all__ = ["prompt_routes"]

_TAG_CHARACTERS: Final = 32
_HEADERS: Final = {
    "cache-control": "private, no-cache",
    "vary": "authorization, x-trimtab-user, x-trimtab-session",
}


def prompt_routes(desk: Callable[[], PromptDesk]) -> list[Route]:
    """The routes; `desk` gives the newest snapshot. The key was checked before."""

    async def prompt(request: Request) -> Response:
        headers = dict(request.headers.raw)
        who = named(headers, b"x-trimtab-user") or named(headers, b"x-trimtab-session")
        version = request.query_params.get("version", "")
        now = desk()
        served = now.serve(request.path_params["name"], version, who)
        if not who and not version:
            served = _of_nobody(now, served)
        body = _bundle(now.environment, served)
        tag = f'"{hashlib.sha256(body).hexdigest()[:_TAG_CHARACTERS]}"'
        told = {**_HEADERS, "etag": tag}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=told)
        return Response(body, headers=told, media_type="application/json")

    return [Route("/v1/prompts/{name:path}", prompt)]


def _of_nobody(desk: PromptDesk, served: Served) -> Served:
    """What is released: for an inference without a name a canary is drawn each time.

    A client keeps what it is told for a while, and would draw once for all of them.
    """
    return desk.released(served.prompt.id) or served


def _bundle(environment: str, served: Served) -> bytes:
    prompt = served.prompt
    return msgspec.json.encode(
        {
            "prompt": prompt.id,
            "version": served.label,
            "hash": prompt.version_hash,
            "model": prompt.behaviour.model,
            "pin": served.pin,
            "environment": environment,
            "arm": served.arm,
            "files": prompt.files,
        }
    )
