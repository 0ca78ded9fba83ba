"""All routes of the console."""

from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from trimtab.config.money import UserClass
from trimtab.console.access import Access, CheckLocal
from trimtab.console.assets import serve_asset
from trimtab.console.bookkeeper import Bookkeeper
from trimtab.console.experiments import Kept, experiment_page, experiments_page
from trimtab.console.explain import explain_page
from trimtab.console.inference import inference_page, raw_answer
from trimtab.console.inferences import inferences_page
from trimtab.console.latency import latency_page
from trimtab.console.login import logged_in, logged_out, login_form
from trimtab.console.overview import overview_page
from trimtab.console.prompt import prompt_page
from trimtab.console.prompt_diff import diff_page
from trimtab.console.prompts import prompts_page
from trimtab.console.release_change import change_form, changed
from trimtab.console.releases import releases_page
from trimtab.console.render import PAGE_HEADERS
from trimtab.console.site import Complain, Serving, Site
from trimtab.console.spend import spend_page
from trimtab.console.user import user_page
from trimtab.console.users import users_page
from trimtab.errors import MethodNotAllowed, UnknownPath
from trimtab.store.protocol import KeyStore, Reader
from trimtab.types.clock import Clock

__all__ = ["Sources", "build_console"]


class Sources(NamedTuple):
    """What pages read.

    Attributes:
        reader: the records.
        keys: credentials.
        project: as it is now; prices, budgets, classes of users, and the folder of its prompts.
        experiments: opens those that are kept; asked when a page about them is.
    """

    reader: Reader
    keys: KeyStore
    project: Serving
    experiments: Kept


def build_console(
    sources: Sources, clock: Clock, *, check_local: CheckLocal, complain: Complain
) -> list[BaseRoute]:
    """The routes below `/console`.

    Args:
        sources: what pages read.
        clock: the time.
        check_local: guards the console while no key exists.
        complain: logs.
    """
    reader, keys, project, experiments = sources

    def classes() -> Mapping[str, UserClass]:
        return project().classes

    bookkeeper = Bookkeeper(reader, project)
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
        Route("/console/user", site.page(user_page(site, bookkeeper))),
        Route("/console/spend", site.page(spend_page(site, bookkeeper))),
        Route("/console/explain", site.page(explain_page(site, bookkeeper))),
        Route("/console/latency", site.page(latency_page(site))),
        Route("/console/prompts", site.page(prompts_page(project))),
        Route("/console/prompt", site.page(prompt_page(site, project))),
        Route("/console/diff", site.page(diff_page(project))),
        Route("/console/releases", site.page(releases_page(project))),
        Route("/console/release", site.page(change_form(project)), methods=["GET"]),
        Route("/console/release", site.form(changed(project)), methods=["POST"]),
        Route("/console/experiments", site.page(experiments_page(experiments))),
        Route("/console/experiments/{id}", site.page(experiment_page(experiments))),
        Route("/console/login", login_form(site), methods=["GET"]),
        Route("/console/login", logged_in(site), methods=["POST"]),
        Route("/console/logout", logged_out(site), methods=["POST"]),
        Route("/console/static/{digest}/{name}", serve_asset),
        Route("/console/{rest:path}", nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]
