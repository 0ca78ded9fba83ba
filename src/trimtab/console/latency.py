"""`/console/latency`: how long people wait, as `trimtab latency` has it."""

from trimtab.console.query import choice, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Site
from trimtab.insights.latency import latency_by

__all__ = ["latency_page"]

_ROWS = 200
_USERS = 50  # whose distributions can be read in a moment


def latency_page(site: Site) -> Answer:
    """Percentiles of each model, route or user; `by` and a range in the address."""

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
        return Page(
            "latency.html",
            {
                "span": span,
                "by": by,
                "rows": rows[:_ROWS],
                "left_off": max(0, len(rows) - _ROWS),
                "costliest": _USERS if by == "user" and len(rows) == _USERS else 0,
                "live": bool(span.range),
            },
        )

    return answer
