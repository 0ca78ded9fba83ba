"""`/console/spend`: what was spent on whom and what, and how month and budgets will end."""

from datetime import timedelta

import msgspec

from trimtab.config.plan import load_plan
from trimtab.console.bookkeeper import Bookkeeper
from trimtab.console.budget_bars import budget_bars
from trimtab.console.drawing import Columns, draw_columns
from trimtab.console.month_drawing import Month, draw_month
from trimtab.console.query import Span, choice, link, read_span
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Site
from trimtab.errors import ConfigError, UnpricedModel, UsageError
from trimtab.insights.explain import Books
from trimtab.insights.finance_days import day_edges_ns, day_of, month_days
from trimtab.insights.forecast import ForecastReport, forecast_month
from trimtab.insights.key_spending import spend_per_key
from trimtab.insights.periods import Period, since, until_today, whole_days
from trimtab.insights.spend_days import spend_between
from trimtab.insights.spend_groups import Grouping, bill_of, spend_by
from trimtab.insights.spending import spend_per_user
from trimtab.insights.waste import WasteName, waste_of
from trimtab.looks.words import zone_time
from trimtab.types.clock import NS_PER_S

__all__ = ["RANGES", "Row", "columns_of", "spend_page", "waste_period"]

RANGES = (("month", "This month"), ("24h", "24 h"), ("7d", "7 days"), ("30d", "30 days"))

_BY = ("user", "model", "route", "key", "team")
_ROWS = 15
_MOST_DAYS = timedelta(days=91)  # before the last one
_DAY = timedelta(days=1)
_HOUR_NS = 3_600 * NS_PER_S
_HOURS_UP_TO_NS = 48 * _HOUR_NS  # a longer range is shown by day
_ALIKE = (
    "cost_nanousd",
    "estimated_nanousd",
    "share",
    "requests",
    "input_tokens",
    "output_tokens",
    "median_nanousd",
    "p95_nanousd",
)
_WORDS: dict[WasteName, str] = {
    "retries": "retries",
    "continued": "broken streams that were continued",
    "failed_over": "failed over",
    "hedges_lost": "hedges lost",
    "failed": "failed",
    "cancelled": "cancelled",
    "truncated_broken": "truncated: broken off",
    "truncated_limit": "truncated: cut at the limit of output",
    "cache_miss_after_failover": "cache miss after failover",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ranking. Amounts in nano-dollars, None where they are not kept.

    Attributes:
        name: what people call it; "" for the rest.
        to: address of its page.
        outlier: why it stands out, or "".
    """

    name: str
    to: str
    outlier: str = ""
    cost_nanousd: int
    estimated_nanousd: int
    unsettled_nanousd: int = 0
    share: float
    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    median_nanousd: int | None
    p95_nanousd: int | None


class _Ranking(msgspec.Struct, frozen=True):
    """Those who cost most, and how many others there are."""

    rows: list[Row]
    known: int


class _Month(msgspec.Struct, frozen=True):
    """The forecast and its picture, or why there is none."""

    report: ForecastReport | None
    drawing: Month | None
    trouble: str = ""


def spend_page(site: Site, bookkeeper: Bookkeeper) -> Answer:
    """The bill of a range; `by` and a range in the address."""

    def answer(asked: Asked) -> Page:
        books = bookkeeper.books()
        by = choice(asked.query, "by", _BY)
        span = read_span(asked.query, asked.now_ns, "month", months_in=books.zone)
        bill = bill_of(site.reader, span.since_ns, span.until_ns)
        period = waste_period(books, span, now_ns=asked.now_ns)
        ranking = _ranking(books, asked, span, by=by)
        budgets = budget_bars(
            site.reader, books.project, now_ns=asked.now_ns, name_of=asked.key_name
        )
        first_day = site.reader.first_day()
        return Page(
            "spend.html",
            {
                "span": span,
                "by": by,
                "choices": _BY,
                "range_choices": RANGES,
                "bill": bill,
                "rows": ranking.rows,
                "others": max(0, ranking.known - len(ranking.rows)),
                "rest_nanousd": max(
                    0, bill.cost_nanousd - sum(row.cost_nanousd for row in ranking.rows)
                ),
                "most_nanousd": max((row.cost_nanousd for row in ranking.rows), default=0),
                "month": _month(books, now_ns=asked.now_ns),
                "columns": columns_of(books, span),
                "budgets": budgets,
                "zone": books.zone.key,
                "waste": waste_of(books, period),
                "waste_words": _WORDS,
                "waste_command": _waste_command(span, period),
                "waste_days": (str(period.days[0]), str(period.days[-1])),
                "started": first_day is not None or bill.requests > 0,
                "list": link("/console/inferences", span.ends, sort="costliest"),
                "all_users": link("/console/users", span.ends),
            },
        )

    return answer


def waste_period(books: Books, span: Span, *, now_ns: int) -> Period:
    """The whole days of a range, as the commands about waste have them; today if there are none."""
    zone = books.zone
    if not span.range:
        first = max(day_of(span.since_ns, zone), day_of(span.until_ns, zone) - _MOST_DAYS)
        last = day_of(span.until_ns - 1, zone) + _DAY
        return whole_days(first, last, zone)
    if span.range == "month":
        try:
            return until_today(*month_days(day_of(now_ns, zone)), now_ns=now_ns, zone=zone)
        except UsageError:  # its first day
            return since(books.reader, 0, now_ns=now_ns, zone=zone)
    return since(books.reader, now_ns - span.since_ns, now_ns=now_ns, zone=zone)


def _waste_command(span: Span, period: Period) -> str:
    if span.range == "month" and period.length > 0:
        return f"trimtab spend waste --month {period.days[0]:%Y-%m}"
    return f"trimtab spend waste --since {span.range}" if span.range else ""


def columns_of(books: Books, span: Span) -> Columns:
    """What each day of a range cost, or each hour of a short one; together it is the bill.

    Of a very long range only its end is shown.
    """
    since_ns = span.since_ns - span.since_ns % _HOUR_NS
    until_ns = span.until_ns + -span.until_ns % _HOUR_NS
    hours = span.until_ns - span.since_ns <= _HOURS_UP_TO_NS
    if hours:
        edges_ns = [*range(since_ns, until_ns + 1, _HOUR_NS)]
        begins = [zone_time(edge_ns, books.zone) for edge_ns in edges_ns[:-1]]
    else:
        last = day_of(until_ns - 1, books.zone)
        first = max(day_of(since_ns, books.zone), last - _MOST_DAYS)
        midnights = day_edges_ns(first, last + _DAY, books.zone)
        # A midnight at half past the hour counts from that hour on, as everywhere.
        inside = [midnight for midnight in midnights if since_ns + _HOUR_NS <= midnight < until_ns]
        edges_ns = sorted({max(since_ns, midnights[0]), *inside, until_ns})
        begins = [zone_time(max(edge_ns, span.since_ns), books.zone) for edge_ns in edges_ns[:-1]]
    amounts = spend_between(books.reader, edges_ns)
    names = [text if hours else text[:10] for text in begins]
    marks = [text[11:] if hours else text[5:10] for text in begins]
    return draw_columns(
        list(zip(names, amounts, strict=True)),
        marks=marks,
        first_in_part=not hours and not begins[0].endswith("00:00"),
    )


def _month(books: Books, *, now_ns: int) -> _Month:
    """The forecast; a plan that cannot be read is no reason to show nothing else."""
    try:
        report = forecast_month(books, load_plan(books.project), now_ns=now_ns)
    except (ConfigError, UnpricedModel) as error:
        return _Month(None, None, str(error))
    if not report.total.days_known and not report.total.spent_nanousd:
        return _Month(None, None)
    today = day_of(now_ns, books.zone)
    first, after = month_days(today)
    edges_ns = day_edges_ns(first, today + _DAY, books.zone)
    drawing = draw_month(spend_between(books.reader, edges_ns), report, count=(after - first).days)
    return _Month(report, drawing)


def _ranking(books: Books, asked: Asked, span: Span, *, by: str) -> _Ranking:
    if by == "user":
        return _users(books, span)
    if by == "key":
        rows = _keys(books, asked, span)
    else:
        assert by in {"model", "route", "team"}
        rows = _groups(books, by, span)  # pyright: ignore[reportArgumentType] - one of the three
    return _Ranking(rows[:_ROWS], len(rows))


def _users(books: Books, span: Span) -> _Ranking:
    report = spend_per_user(
        books.reader,
        span.since_ns,
        span.until_ns,
        top=_ROWS,
        classes=books.project.classes,
        with_past=True,
    )
    rows = [
        Row(
            name=user.user,
            to=link("/console/user", span.ends, name=user.user) if user.user else "",
            outlier=user.outlier,
            failed=user.errors + user.timeouts,
            **{name: getattr(user, name) for name in _ALIKE},
            unsettled_nanousd=user.unsettled_nanousd,
        )
        for user in report.users
    ]
    return _Ranking(rows, report.user_count)


def _keys(books: Books, asked: Asked, span: Span) -> list[Row]:
    report = spend_per_key(books.reader, span.since_ns, span.until_ns, known=asked.keys)
    return [
        Row(
            name=key.name or key.key_id,
            to=_overview("key", key.name or key.key_id, span),
            outlier=key.outlier,
            failed=key.errors + key.timeouts,
            **{name: getattr(key, name) for name in _ALIKE},
            unsettled_nanousd=key.unsettled_nanousd,
        )
        for key in report.keys
    ]


def _groups(books: Books, by: Grouping, span: Span) -> list[Row]:
    return [
        Row(
            name=group.value,
            to=_overview(by, group.value, span),
            failed=group.errors + group.timeouts,
            **{name: getattr(group, name) for name in _ALIKE},
        )
        for group in spend_by(books.reader, by, span.since_ns, span.until_ns)
    ]


def _overview(by: str, value: str, span: Span) -> str:
    return link("/console", span.ends, by=by, value=value) if value else ""
