"""`/console/explain`: why the bill is not the estimate, cause by cause, as a waterfall."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from trimtab.config.plan import load_plan
from trimtab.console.bookkeeper import Bookkeeper
from trimtab.console.query import Query, link
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Site
from trimtab.console.waterfall import draw_waterfall, rows_of
from trimtab.errors import ConfigError, UnpricedModel, UsageError
from trimtab.insights.explain import Books, ExplainReport, explain_against, explain_plan
from trimtab.insights.finance_days import day_of, month_days, parse_months
from trimtab.insights.periods import Period, before, since, until_today
from trimtab.insights.window import parse_window_ns
from trimtab.types.clock import NS_PER_S

__all__ = ["explain_page"]

_PERIODS = (("7d", "last 7 days"), ("30d", "last 30 days"), ("90d", "last 90 days"))
_USUAL_PERIOD = "30d"
_MONTHS = 6
_DAY_S = 86_400
_AGAINST = (("plan", "the plan"), ("before", "the time before"))
_NAMED = ("", "plan", "before")
_LONGEST_NS = parse_window_ns("731d")


class _Choice(msgspec.Struct, frozen=True):
    """What the address asks for; all of it can be read.

    Attributes:
        period: a span up to today such as `30d`, or a month or quarter such as `2026-10`.
        against: "plan", "before", a span before, or "" for the plan if there is one.
    """

    period: str
    against: str

    @property
    def month(self) -> bool:
        """The period is a month or a quarter."""
        return "-" in self.period


def explain_page(site: Site, bookkeeper: Bookkeeper) -> Answer:
    """The causes of the bill; `period` and `against` in the address."""

    def answer(asked: Asked) -> Page:
        books = bookkeeper.books()
        chosen = _read(asked.query)
        today = day_of(asked.now_ns, books.zone)
        values: dict[str, Any] = {
            "chosen": chosen,
            "periods": _with([*_PERIODS, *_months(today)], chosen.period, "last "),
            "against": _with(_AGAINST, chosen.against, "the time before, "),
            "report": None,
            "trouble": "",
            "planned": False,
            "before": link("/console/explain", period=chosen.period, against="before"),
            "started": site.reader.first_day() is not None,
        }
        try:
            plan = load_plan(books.project)
            values["planned"] = bool(plan.estimates)
            period = _period(books, chosen, now_ns=asked.now_ns)
            if chosen.against == "plan" or (not chosen.against and plan.estimates):
                report = explain_plan(books, plan, period)
            else:
                report = explain_against(books, period, _base(books, chosen, period))
        except (ConfigError, UnpricedModel, UsageError) as error:
            values["trouble"] = str(error)
        else:
            values |= _drawn(report, chosen, books)
        return Page("explain.html", values)

    return answer


def _drawn(report: ExplainReport, chosen: _Choice, books: Books) -> dict[str, Any]:
    return {
        "report": report,
        "waterfall": draw_waterfall(report),
        "rows": rows_of(report),
        "span": _days(report.since_ns, report.until_ns, books),
        "base": _days(report.against_since_ns, report.against_until_ns, books)
        if report.against == "period"
        else "",
        "command": _command(report, chosen),
    }


def _read(query: Query) -> _Choice:
    """What the address asks for.

    Raises:
        UsageError: it cannot be read.
    """
    chosen = _Choice(
        query.get("period", "").strip() or _USUAL_PERIOD, query.get("against", "").strip()
    )
    if chosen.month:
        parse_months(chosen.period)
    spans = [] if chosen.month else [chosen.period]
    if chosen.against not in _NAMED:
        spans.append(chosen.against)
    if any(parse_window_ns(span) > _LONGEST_NS for span in spans):
        raise UsageError("That is more than two years. Write a shorter span, such as 90d.")
    return chosen


def _period(books: Books, chosen: _Choice, *, now_ns: int) -> Period:
    if chosen.month:
        return until_today(*parse_months(chosen.period), now_ns=now_ns, zone=books.zone)
    return since(books.reader, parse_window_ns(chosen.period), now_ns=now_ns, zone=books.zone)


def _base(books: Books, chosen: _Choice, period: Period) -> Period:
    length_ns = period.until_ns - period.since_ns
    if chosen.against not in _NAMED:
        length_ns = parse_window_ns(chosen.against)
    return before(period, length_ns, books.zone)


def _months(today: date) -> list[tuple[str, str]]:
    """This month and those before it, the newest first."""
    found: list[tuple[str, str]] = []
    first, _ = month_days(today)
    for _ in range(_MONTHS):
        found.append((f"{first:%Y-%m}", f"{first:%B %Y}"))
        first, _ = month_days(date.fromordinal(first.toordinal() - 1))
    return found


def _with(choices: Sequence[tuple[str, str]], value: str, words: str) -> list[tuple[str, str]]:
    """The choices, and whatever else the address has."""
    if not value or any(value == known for known, _ in choices):
        return list(choices)
    return [*choices, (value, value if "-" in value else f"{words}{value}")]


def _command(report: ExplainReport, chosen: _Choice) -> str:
    option = "--month" if chosen.month else "--since"
    command = f"trimtab spend explain {option} {chosen.period}"
    if report.against == "plan":
        return command
    days = (report.against_until_ns - report.against_since_ns) / (_DAY_S * NS_PER_S)
    return f"{command} --against {round(days)}d"


def _days(since_ns: int, until_ns: int, books: Books) -> str:
    first, last = day_of(since_ns, books.zone), day_of(until_ns - NS_PER_S, books.zone)
    return str(first) if first == last else f"{first} to {last}"
