"""A gateway with a history of real requests, and a browser page that notices everything odd."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from harness import PRICE, Gateway, project_text
from trimtab.testing import Behaviour, Script, ToolCall

ROOT = Path(__file__).parent.parent.parent
SCREENSHOTS = ROOT / "artefacts" / "screenshots"
# So many that the odd cheap request of a test does not change who stands out.
LIGHT_USERS = ("ana", "ben", "chloe", "deniz", "emil", "farah", "henk", "ines")
HEAVY_USER = "greta@example.com"
MARKUP_USER = "<b onclick=window.pwned=9>bob</b>"

EVIL = (
    '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>'
    "<svg onload=window.pwned=3></svg></pre></article><iframe src=javascript:window.pwned=4>"
    " [click](javascript:window.pwned=5) javascript:window.pwned=6 "
    '<a href="javascript:window.pwned=7" hx-get="/v1/models" hx-trigger="load">link</a> '
    "{{ 7 * 7 }} {% raw %} \u202egnp.exe\u202c \u200bzero\ufeff "
    f"{'W' * 600} https://evil.example/x.png\n# heading"
)
LONG = "lorem ipsum dolor sit amet " * 7_500  # 200 kB
_MODELS = {
    "smart": ("large", "{input_usd_per_mtok = 2.5, output_usd_per_mtok = 10}"),
    "evil": ("fault:evil", PRICE),
    "long": ("fault:long", PRICE),
    "tool": ("fault:tool", PRICE),
    "busy": ("fault:busy", PRICE),
    "slow": ("fault:slow", PRICE),
}
SCRIPT = Script(
    models={
        "gpt-test": (Behaviour(first_token_after_s=0.02, token_every_s=0.001, tokens=24),),
        "large": (Behaviour(first_token_after_s=0.06, token_every_s=0.002, tokens=40),),
    },
    named={
        "evil": (Behaviour(text=EVIL, tokens=12),),
        "long": (Behaviour(text=LONG, tokens=50),),
        "tool": (Behaviour(tool_calls=(ToolCall(name="find_ticket", arguments='{"id": 4711}'),)),),
        "busy": (Behaviour(status=503),),
        "slow": (Behaviour(headers_after_s=2),),
    },
)


def project(base_url: str) -> str:
    """A project that keeps texts, with models that behave in all kinds of ways."""
    models = "".join(
        f'[models.{name}]\nref = "fake:{ref}"\nprice = {price}\n'
        for name, (ref, price) in _MODELS.items()
    )
    route = '[routes.impatient]\nmodel = "slow"\ntimeouts = {total_s = 0.3}\n'
    recording = '[recording]\nbodies = "full"\n'
    return project_text(base_url, extra=models + route + recording)


class Asked(NamedTuple):
    """What is sent to the gateway."""

    user: str
    model: str = "fast"
    streamed: bool = True
    text: str = "What is a trim tab?"
    session: str = ""


def send(gateway: Gateway, asked: Asked) -> str:
    """One inference; its id."""
    messages = [
        {"role": "system", "content": "You answer questions about ships. Be brief."},
        {"role": "user", "content": asked.text},
    ]
    reply = gateway.chat(
        model=asked.model,
        user=asked.user,
        stream=asked.streamed,
        temperature=0.2,
        messages=messages,
        headers={"x-trimtab-session": asked.session} if asked.session else {},
    )
    return reply.headers["x-request-id"]


def make_history(gateway: Gateway) -> dict[str, str]:
    """Real requests of several people; ids of the remarkable ones."""
    document = "The rudder of a large ship is heavy, and a small flap turns it. " * 200
    usual = [
        Asked(user, "smart" if turn % 4 == 3 else "fast", turn % 3 != 0, session=f"{user}-{turn}")
        for turn in range(7)
        for user in LIGHT_USERS
    ]
    heavy = [Asked(HEAVY_USER, "smart", text=document) for _ in range(12)]
    odd = [Asked("ben", "busy"), Asked("ana", "impatient"), Asked("ana", "busy", streamed=False)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(partial(send, gateway), [*usual, *heavy, *odd]))
    return {
        "evil": send(gateway, Asked(MARKUP_USER, "evil", text=EVIL, session="<i>s</i>")),
        "whole": send(gateway, Asked(MARKUP_USER, "evil", text=EVIL, streamed=False)),
        "long": send(gateway, Asked("chloe", "long", text=LONG)),
        "tool": send(gateway, Asked("deniz", "tool")),
        "error": send(gateway, Asked("emil", "busy")),
    }


def chromium() -> str:
    """The machine's own browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise AssertionError("no Chromium on this machine; `make test` installs it")


class Watched:
    """A page of the console. `problems` fills with whatever should not happen.

    Args:
        context: what it is opened in.
        url: address of the gateway without a path.

    Attributes:
        allowed: HTTP statuses that a test expects.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.allowed: set[int] = set()
        self.problems: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) => console.error("
            "`policy: ${event.violatedDirective} ${event.blockedURI}`))"
        )
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on("dialog", lambda dialog: self._dialog(dialog.message))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def open(self, path: str) -> Page:
        """Go to a page of the console."""
        self.page.goto(self.url + path)
        return self.page

    def check(self) -> None:
        """Nothing odd has happened."""
        assert self.page.evaluate("window.pwned") is None
        assert not self.problems, self.problems

    def _console(self, message: ConsoleMessage) -> None:
        expected = message.text.startswith("Failed to load resource") and self.allowed
        if message.type in {"error", "warning"} and not expected:
            self.problems.append(f"console: {message.text}")

    def _dialog(self, text: str) -> None:
        self.problems.append(f"dialog: {text}")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.problems.append(f"request: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.allowed:
            self.problems.append(f"answer: {response.status} {response.url}")


def open_context(browser: Browser, width: int = 1280, scheme: str = "light", **more: Any):
    """A window of its own, with the clock and language of a stranger."""
    return browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="de-DE",
        timezone_id="Asia/Kolkata",
        **more,
    )
