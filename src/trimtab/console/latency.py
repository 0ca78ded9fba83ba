"""`/console/latency`: how long people wait, as `trimtab latency` has it."""

from trimtab.console.query import choice, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Site
from trimtab.insights.breakers import left_alone
from trimtab.insights.ladder import ladder_by_route
from trimtab.insights.ladder_words import BEFORE, LOWER_BOUND, SEEN, in_words
from trimtab.insights.latency import latency_by

__all__ = ["latency_page"]

_ROWS = 200
_USERS = 50  # whose distributions can be read in a moment


def latency_page(site: Site) -> Answer:
    """Percentiles of each model, route or user, and what ladders did; all is in the address."""

    def answer(asked: Asked) -> Page:
        span = read_span(asked.query, asked.now_ns)
        by = choice(asked.query, "by", ("model", "route", "user", "total"))
        assert by in {"model", "route", "user", "total"}
        rows = latency_by(
            site.reader,
            by,  # pyright: ignore[reportArgumentType] - one of the four
            since_ns=span.since_ns,
            until_ns=span.until_ns,
            top=_USERS,
        )
        routes = ladder_by_route(site.reader, span.since_ns, span.until_ns)
        ladder = routes if any(row.used or row.cached_token_share for row in routes) else []
        return Page(
            "latency.html",
            {
                "alone": left_alone(site.reader, asked.now_ns),
                "ladder": [(row, in_words(row)) for row in ladder[:_ROWS]],
                "ladder_used": any(row.used for row in routes),
                "ladder_words": (BEFORE, SEEN, LOWER_BOUND),
                "span": span,
                "by": by,
                "rows": rows[:_ROWS],
                "left_off": max(0, len(rows) - _ROWS),
                "costliest": _USERS if by == "user" and len(rows) == _USERS else 0,
                "live": bool(span.range),
            },
        )

    return answer
