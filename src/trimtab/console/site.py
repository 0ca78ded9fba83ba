"""What all pages share: the records, the time, who looks, and a thread to compute in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trimtab.config.money import UserClass
from trimtab.config.schema import Project
from trimtab.console.access import COOKIE, Access, Visitor
from trimtab.console.forms import own_form
from trimtab.console.query import Query, link
from trimtab.console.render import PAGE_HEADERS, Page, render
from trimtab.errors import Overloaded, TrimtabError, reply_of
from trimtab.store.protocol import KeyStore, Reader
from trimtab.types.clock import Clock
from trimtab.types.identity import Key

__all__ = ["Answer", "Asked", "Classes", "Complain", "Endpoint", "Serving", "Site"]

_log = logging.getLogger("trimtab.console")

_AT_ONCE = 2  # pages in the making; inferences share the interpreter with them
_MOST_WAITING = 16

Complain = Callable[[int, str, str], None]
"""Logs at a level, under a stable word, a text, without flooding."""

Classes = Callable[[], Mapping[str, UserClass]]
"""Classes of users by name, as the project has them now."""

Serving = Callable[[], Project]
"""The project as it is now."""

Endpoint = Callable[[Request], Awaitable[Response]]


class Asked(msgspec.Struct, frozen=True):
    """One request for a page.

    Attributes:
        path: without the query string.
        query: its parameters; of repeated ones the last.
        parts: named parts of the path.
        now_ns: UTC nanoseconds; one moment for the whole page.
        visitor: who looks.
        host: name and port that the gateway was called by.
        keys: all credentials, for their names. Read before the page goes to its thread, because
            the store of keys is for one thread at a time.
        fields: what was filled in; empty where nothing was sent.
    """

    path: str
    query: Query
    parts: dict[str, str]
    now_ns: int
    visitor: Visitor
    host: str = "127.0.0.1:8080"
    keys: tuple[Key, ...] = ()
    fields: dict[str, str] = {}

    def key_id(self, reference: str) -> str:
        """The id of the key that people call so; what no key is called stays as it is."""
        names = (key.key_id for key in self.keys if reference in {key.name, key.prefix})
        return next(names, reference)

    def key_name(self, key_id: str) -> str:
        """What people call a key."""
        return next((key.name for key in self.keys if key.key_id == key_id), key_id)

    @property
    def here(self) -> str:
        """Its address."""
        return link(self.path, self.query)


Answer = Callable[[Asked], Page | Response]


class Site:
    """Makes pages. They are computed in a thread, a few at a time.

    Attributes:
        reader: the records.
        clock: the time.
        access: who may look.
    """

    def __init__(
        self, reader: Reader, keys: KeyStore, clock: Clock, *, access: Access, complain: Complain
    ) -> None:
        self.reader = reader
        self._keys = keys
        self.clock = clock
        self.access = access
        self._complain = complain
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def page(self, answer: Answer) -> Endpoint:
        """An endpoint for those who may look; others are led to the login."""

        async def shown(request: Request) -> Response:
            visitor = self.visitor(request)
            if visitor is None:
                return _to_login(request)
            return await self._in_thread(answer, self._asked(request, visitor))

        return self._guarded(shown)

    def form(self, answer: Answer) -> Endpoint:
        """An endpoint for what those who may look fill in, in a form of ours and no other."""

        async def sent(request: Request) -> Response:
            fields = await own_form(request)
            headers = dict(request.headers.raw)
            # It was our own, so this is not the foreign page that it stands for elsewhere.
            del headers[b"origin"]
            visitor = self.access.visitor(headers, request.cookies.get(COOKIE, ""))
            if visitor is None:
                return _to_login(request)
            asked = msgspec.structs.replace(self._asked(request, visitor), fields=fields)
            return await self._in_thread(answer, asked)

        return self._guarded(sent)

    def visitor(self, request: Request) -> Visitor | None:
        """Who looks; None must log in."""
        return self.access.visitor(dict(request.headers.raw), request.cookies.get(COOKIE, ""))

    async def failure(
        self, request: Request, error: TrimtabError, *, template: str = "error.html"
    ) -> Response:
        """A page that says what went wrong."""
        reply = reply_of(error)
        if reply.level > logging.INFO:
            self._complain(reply.level, reply.code, f"console: {error}")
        headers: dict[str, str] = {}
        if error.retry_after_s is not None:
            headers["retry-after"] = f"{error.retry_after_s:.0f}"
        asked = self._asked(request, Visitor())
        values = {"message": str(error), "status": reply.status}
        page = Page(template, values, reply.status, headers)
        return self.respond(page, asked)

    def respond(self, page: Page, asked: Asked) -> Response:
        """A page as an answer."""
        common: dict[str, Any] = {
            "here": asked.here,
            "host": asked.host,
            "path": asked.path,
            "query": asked.query,
            "now_ns": asked.now_ns,
            "visitor": asked.visitor,
            "live": False,
        }
        html = render(page.template, common | page.values)
        return Response(html, page.status, PAGE_HEADERS | page.headers, "text/html")

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                return await endpoint(request)
            except TrimtabError as error:
                return await self.failure(request, error)
            except Exception:  # noqa: BLE001 - a defect of a page must not look like one of the gateway
                _log.exception("a page of the console could not be made")
                return await self.failure(request, TrimtabError(_DEFECT))

        return guarded

    async def _in_thread(self, answer: Answer, asked: Asked) -> Response:
        if self._waiting >= _MOST_WAITING:
            raise Overloaded("Too many pages are asked for at once. Try again in a moment.")
        self._waiting += 1
        try:
            async with self._free:
                return await asyncio.to_thread(self._made, answer, asked)
        finally:
            self._waiting -= 1

    def _made(self, answer: Answer, asked: Asked) -> Response:
        made = answer(asked)
        return self.respond(made, asked) if isinstance(made, Page) else made

    def _asked(self, request: Request, visitor: Visitor) -> Asked:
        query = dict(request.query_params)
        parts: dict[str, str] = dict(request.path_params)
        host = request.headers.get("host", "127.0.0.1:8080")
        now_ns = self.clock.wall_ns()
        keys = tuple(self._keys.list())
        return Asked(request.url.path, query, parts, now_ns, visitor, host, keys)


_DEFECT = (
    "This page could not be made. The gateway's log says why; `trimtab ledger verify` tells "
    "whether the records are whole."
)


def _to_login(request: Request) -> Response:
    if "hx-request" in request.headers:  # a page that refreshes itself: let the browser do it
        return Response(status_code=401, headers=PAGE_HEADERS | {"hx-refresh": "true"})
    path = link(request.url.path, dict(request.query_params))
    login = link("/console/login", next="" if path == "/console" else path)
    return RedirectResponse(login, 303, PAGE_HEADERS)
