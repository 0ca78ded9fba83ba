"""Templates to pages. Everything is escaped, always; what is not defined is an error."""

import threading
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec
from minijinja import Environment

from trimtab.console.assets import asset_url
from trimtab.console.query import link
from trimtab.evals.reports.html.render import FILTERS, read_part
from trimtab.looks import words

__all__ = ["PAGE_HEADERS", "Page", "render"]

PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Not no-referrer: browsers would then send `Origin: null` with the login form.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Page(msgspec.Struct, frozen=True):
    """A template and what fills it.

    Attributes:
        template: file name without its folder.
        values: what it may use.
        status: HTTP status.
        headers: beside the usual ones.
    """

    template: str
    values: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = {}


def render(template: str, values: Mapping[str, Any]) -> str:
    """The HTML of a page."""
    # The engine holds a lock of its own while it calls our filters: two threads at once could wait
    # for each other, one for that lock and one for the interpreter's.
    with _TURN:
        return _ENVIRONMENT.render_template(template, **values)


def _load(name: str) -> str:
    if name.startswith("_report"):  # what the console shows as the HTML report does
        return read_part(name)
    return (files("trimtab.console") / "templates" / name).read_text(encoding="utf-8")


_TURN = threading.Lock()
_ENVIRONMENT = Environment(
    loader=_load,
    undefined_behavior="strict",
    auto_escape_callback=lambda _name: True,
    debug=False,  # an error must not carry the values of a page into the log
    trim_blocks=True,
    lstrip_blocks=True,
    globals={"asset": asset_url, "link": link},
    filters=FILTERS
    | {
        "ago": words.ago,
        "amount": words.amount,
        "clock": words.clock_time,
        "decimal": words.decimal,
        "iso": words.iso_time,
        "percent": words.percent,
        "short": words.short,
        "signed_usd": words.signed_usd,
        "usd_brief": words.usd_brief,
        "usd_rough": words.usd_rough,
        "utc_day": words.utc_day,
    },
)
