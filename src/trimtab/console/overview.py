"""`/console`: requests, errors, cost and waiting of a range, of everything or of one value."""

from trimtab.console.charts import charts_of, steps_of
from trimtab.console.query import choice, link, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Classes, Site
from trimtab.insights.breakers import left_alone
from trimtab.insights.overview import GroupRow, overview
from trimtab.insights.window import parse_window_ns
from trimtab.store.protocol import Reader
from trimtab.store.records import Dimension

__all__ = ["overview_page"]

_BY: tuple[Dimension, ...] = ("total", "user", "model", "route", "key", "team")


def overview_page(site: Site, classes: Classes) -> Answer:
    """The first page; `by`, `value` and a range in the address."""

    def answer(asked: Asked) -> Page:
        span = read_span(asked.query, asked.now_ns, _usual_range(site.reader, asked.now_ns))
        by = choice(asked.query, "by", _BY)
        value = asked.query.get("value", "").strip() if by != "total" else ""
        found = overview(
            site.reader,
            span.since_ns,
            span.until_ns,
            dimension=by,  # pyright: ignore[reportArgumentType] - one of the six
            value=asked.key_id(value) if by == "key" else value,
            classes=classes(),
        )
        totals = found.totals
        failed = totals.errors + totals.timeouts
        return Page(
            "overview.html",
            {
                "alone": left_alone(site.reader, asked.now_ns),
                "span": span,
                "by": by,
                "value": value,
                "choices": _BY,
                "found": found,
                "totals": totals,
                "failed": failed,
                "failed_share": failed / totals.requests if totals.requests else 0.0,
                "most_nanousd": max((user.cost_nanousd for user in found.users), default=0),
                "charts": charts_of(found, span.words),
                "steps": steps_of(found),
                "extra": {"by": by, "value": value} if by != "total" else {},
                "list": link("/console/inferences", span.parameters, _filter(by, value)),
                "groups": [
                    ("model", "Models", _ranked(found.models)),
                    ("route", "Routes", _ranked(found.routes)),
                ],
                "first_day": site.reader.first_day(),
                "live": bool(span.range),
            },
        )

    return answer


def _usual_range(reader: Reader, now_ns: int) -> str:
    """An hour as long as nothing is older (of this day), so that a new gateway has a picture."""
    day = _requests(reader, now_ns - parse_window_ns("24h"), now_ns)
    hour = _requests(reader, now_ns - parse_window_ns("1h"), now_ns)
    return "1h" if hour == day else "24h"


def _requests(reader: Reader, since_ns: int, until_ns: int) -> int:
    return sum(
        group.requests for group in reader.usage_by("total", since_ns, until_ns, measures=())
    )


def _ranked(rows: list[GroupRow]) -> list[GroupRow]:
    return sorted(rows, key=lambda group: -group.cost_nanousd)


def _filter(by: str, value: str) -> dict[str, str]:
    """The same choice as a filter of the list of inferences."""
    if by == "total":
        return {}
    if by == "model":
        provider, _, model = value.partition(":")
        return {"provider": provider, "model": model}
    return {by: value}
