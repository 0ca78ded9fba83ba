"""`/console/users`: who costs what, as `trimtab spend users` has it."""

from collections.abc import Callable, Mapping
from typing import Any

from trimtab.config.money import UserClass
from trimtab.console.query import Span, choice, link, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Classes, Site
from trimtab.errors import UsageError
from trimtab.insights.spending import UserSpend, spend_per_user
from trimtab.store.protocol import Reader

__all__ = ["ORDERS", "users_page", "users_values"]

_ROWS = 40
_RANKED = 100  # so many, the costliest, can be put into another order in a moment

_ORDERS: dict[str, Callable[[UserSpend], Any]] = {
    "cost": lambda user: -user.cost_nanousd,
    "requests": lambda user: -user.requests,
    "errors": lambda user: -(user.errors + user.timeouts),
    "input": lambda user: -user.input_tokens,
    "output": lambda user: -user.output_tokens,
    "median": lambda user: -user.median_nanousd,
    "p95": lambda user: -user.p95_nanousd,
    "user": lambda user: user.user,
}

ORDERS = tuple(_ORDERS)
"""Words for `sort`; the first is the usual one."""


def users_page(site: Site, classes: Classes) -> Answer:
    """A ranked table of all users; `sort`, `skip` and a range in the address."""

    def answer(asked: Asked) -> Page:
        span = read_span(asked.query, asked.now_ns, "7d")
        order = choice(asked.query, "sort", ORDERS)
        skip = _skip(asked.query.get("skip", ""))
        values = users_values(site.reader, span, order=order, skip=skip, classes=classes())
        return Page("users.html", values)

    return answer


def users_values(
    reader: Reader, span: Span, *, order: str, skip: int, classes: Mapping[str, UserClass] = {}
) -> dict[str, Any]:
    """What fills the page: the users of a range in one of `ORDERS`, without the first `skip`."""
    # Distributions are read of few users only: up to this page, or of those in the ranking.
    top = skip + _ROWS if order == "cost" else _RANKED
    report = spend_per_user(reader, span.since_ns, span.until_ns, top=top, classes=classes)
    ranked = report.user_count if order == "cost" else len(report.users)
    users = sorted(report.users, key=_ORDERS[order])
    shown = users[skip : skip + _ROWS]
    here = link("/console/users", span.parameters, sort=order if order != "cost" else "")
    return {
        "span": span,
        "report": report,
        "order": order,
        "users": [(rank, user) for rank, user in enumerate(shown, skip + 1)],
        "most_nanousd": max((user.cost_nanousd for user in users), default=0),
        "outliers": [user for user in users if user.outlier],
        "sort_links": {name: link("/console/users", span.parameters, sort=name) for name in ORDERS},
        "range_link": {"path": "/console/users", "sort": order},
        "previous": link(here, skip=str(max(0, skip - _ROWS))) if skip else "",
        "next": _more(here, skip + _ROWS) if ranked > skip + _ROWS else "",
        "among": ranked if ranked < report.user_count else 0,
        "live": bool(span.range) and not skip,
    }


def _more(here: str, skip: int) -> str:
    return f"{here}{'&' if '?' in here else '?'}skip={skip}"


def _skip(text: str) -> int:
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"skip={text[:80]!r} is not a number of rows. Leave it out.")
    return int(text)
