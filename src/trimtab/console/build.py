"""All routes of the console."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from trimtab.console.access import Access, CheckLocal
from trimtab.console.assets import serve_asset
from trimtab.console.inference import inference_page, raw_answer
from trimtab.console.inferences import inferences_page
from trimtab.console.latency import latency_page
from trimtab.console.login import logged_in, logged_out, login_form
from trimtab.console.overview import overview_page
from trimtab.console.render import PAGE_HEADERS
from trimtab.console.site import Classes, Complain, Site
from trimtab.console.users import users_page
from trimtab.errors import MethodNotAllowed, UnknownPath
from trimtab.store.protocol import KeyStore, Reader
from trimtab.types.clock import Clock

__all__ = ["build_console"]


def build_console(
    reader: Reader,
    keys: KeyStore,
    clock: Clock,
    *,
    check_local: CheckLocal,
    complain: Complain,
    classes: Classes,
) -> list[BaseRoute]:
    """The routes below `/console`.

    Args:
        reader: the records.
        keys: credentials.
        clock: the time.
        check_local: guards the console while no key exists.
        complain: logs.
        classes: the classes of users as the project has them now.
    """
    access = Access(keys, clock, check_local)
    site = Site(reader, keys, clock, access=access, complain=complain)

    async def nothing(request: Request) -> Response:
        if not request.path_params["rest"]:
            return RedirectResponse("/console", 308, PAGE_HEADERS)
        if request.method not in {"GET", "HEAD"}:
            return await site.failure(request, MethodNotAllowed(request.method, "GET"))
        return await site.failure(
            request, UnknownPath("There is no page of this name. The links above lead to all.")
        )

    return [
        Route("/console", site.page(overview_page(site, classes))),
        Route("/console/inferences", site.page(inferences_page(site))),
        Route("/console/inferences/{id}", site.page(inference_page(site))),
        Route("/console/inferences/{id}/{side}", site.page(raw_answer(site))),
        Route("/console/users", site.page(users_page(site, classes))),
        Route("/console/latency", site.page(latency_page(site))),
        Route("/console/login", login_form(site), methods=["GET"]),
        Route("/console/login", logged_in(site), methods=["POST"]),
        Route("/console/logout", logged_out(site), methods=["POST"]),
        Route("/console/static/{digest}/{name}", serve_asset),
        Route("/console/{rest:path}", nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
