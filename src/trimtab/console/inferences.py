"""`/console/inferences`: single inferences, filtered, sorted and in pages."""

from typing import get_args

from trimtab.console.query import Query, choice, link, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Site
from trimtab.store.records import EventField, EventQuery
from trimtab.types.records import Cause, Outcome

__all__ = ["inferences_page"]

_PAGE = 50
_ORDERS = ("newest", "costliest", "slowest")
_CHOICES = {
    "outcome": ("", *get_args(Outcome)),
    "cause": ("", *get_args(Cause)),
}

# Parameter of the address, field of an event, what people call it.
_FILTERS: tuple[tuple[str, EventField, str], ...] = (
    ("user", "user", "User"),
    ("model", "model", "Model"),
    ("route", "route", "Route"),
    ("session", "session", "Session"),
    ("provider", "provider", "Provider"),
    ("team", "team", "Team"),
    ("key", "key_id", "Key"),
    ("outcome", "outcome", "Outcome"),
    ("error", "error_code", "Error code"),
    ("cause", "cause", "Cause"),
    ("prompt", "prompt", "Prompt"),
    ("version", "prompt_version", "Prompt version"),
)

_FIRST = {"user", "model", "outcome"}  # the other filters are folded away until they are used


def inferences_page(site: Site) -> Answer:
    """A list of inferences; all of its state is in the address."""

    def answer(asked: Asked) -> Page:
        query = asked.query
        span = read_span(query, asked.now_ns)
        order = choice(query, "sort", _ORDERS)
        for name, values in _CHOICES.items():
            choice(query, name, values)
        given = _given(query)
        found = site.reader.event_page(
            EventQuery(
                since_ns=span.since_ns,
                until_ns=span.until_ns,
                where=_where(asked, given),
                order=order,  # pyright: ignore[reportArgumentType] - one of the three
                limit=_PAGE,
                after=query.get("after", ""),
            )
        )
        here = {**given, "sort": order if order != "newest" else ""}
        address = "/console/inferences"
        return Page(
            "inferences.html",
            {
                "span": span,
                "order": order,
                "given": given,
                "further": bool(given.keys() - _FIRST) or not span.range,
                "filters": [(name, words) for name, _, words in _FILTERS],
                "choices": _CHOICES,
                "events": found.events,
                "searched_to_ns": found.searched_to_ns,
                "next": link(address, span.parameters, here, after=found.next),
                "has_next": bool(found.next),
                "searched_to_amount": found.searched_to_amount,
                "first": link(address, span.parameters, here) if "after" in query else "",
                "all": link(address, span.parameters),
                "month": link(address, {"range": "30d"}, here),
                "sort_links": {
                    name: link(address, span.parameters, given, sort=name) for name in _ORDERS
                },
                "first_day": site.reader.first_day(),
                "live": bool(span.range) and "after" not in query,
            },
        )

    return answer


def _given(query: Query) -> dict[str, str]:
    """The filters that are set."""
    values = {name: query.get(name, "").strip() for name, _, _ in _FILTERS}
    return {name: value for name, value in values.items() if value}


def _where(asked: Asked, given: dict[str, str]) -> dict[EventField, str]:
    where: dict[EventField, str] = {
        field: given[name] for name, field, _ in _FILTERS if name in given
    }
    if "key" in given:  # people know a key by its name
        where["key_id"] = asked.key_id(given["key"])
    return where
