"""Logging in and out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trimtab.console.access import COOKIE, SESSION_S, Visitor, local_path
from trimtab.console.forms import own_form
from trimtab.console.render import PAGE_HEADERS, Page
from trimtab.console.site import Asked, Endpoint, Site
from trimtab.errors import TrimtabError, reply_of

__all__ = ["logged_in", "logged_out", "login_form"]


def login_form(site: Site) -> Endpoint:
    """The page that asks for a key."""

    async def endpoint(request: Request) -> Response:
        path = local_path(request.query_params.get("next", ""))
        try:
            if site.visitor(request) is not None:
                return RedirectResponse(path, 303, PAGE_HEADERS)
        except TrimtabError as error:
            return await site.failure(request, error)
        return _form(site, path)

    return endpoint


def logged_in(site: Site) -> Endpoint:
    """A key for a session."""

    async def endpoint(request: Request) -> Response:
        path = "/console"
        try:
            fields = await own_form(request)
            path = local_path(fields.get("next", ""))
            cookie = site.access.open_session(fields.get("key", ""))
        except TrimtabError as error:
            return _form(site, path, error)
        answer = RedirectResponse(path, 303, PAGE_HEADERS)
        # Not Secure: the gateway speaks plain HTTP, and whether a proxy in front speaks TLS is
        # only what a header claims.
        answer.set_cookie(
            COOKIE, cookie, SESSION_S, path="/console", httponly=True, samesite="strict"
        )
        return answer

    return endpoint


def logged_out(site: Site) -> Endpoint:
    """The end of a session."""

    async def endpoint(request: Request) -> Response:
        try:
            await own_form(request)
        except TrimtabError as error:
            return await site.failure(request, error)
        answer = RedirectResponse("/console/login", 303, PAGE_HEADERS)
        answer.delete_cookie(COOKIE, path="/console", httponly=True, samesite="strict")
        return answer

    return endpoint


def _form(site: Site, path: str, error: TrimtabError | None = None) -> Response:
    status = 200
    headers: dict[str, str] = {}
    if error is not None:
        status = reply_of(error).status
        if error.retry_after_s is not None:
            headers["retry-after"] = f"{error.retry_after_s:.0f}"
    values = {"next": path, "message": str(error or "")}
    asked = Asked("/console/login", {}, {}, site.clock.wall_ns(), Visitor())
    return site.respond(Page("login.html", values, status, headers), asked)
