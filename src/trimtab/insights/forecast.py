"""What the current month will have cost at its end, by class of users, with an interval."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import msgspec

from trimtab.config.plan import Plan
from trimtab.insights.estimates import planned_nanousd
from trimtab.insights.explain import Books
from trimtab.insights.finance_days import day_edges_ns, day_of, midnight_ns, month_days
from trimtab.insights.periods import whole_days
from trimtab.stats.outlook import LEAST_DAYS, Outlook, look_ahead
from trimtab.types.clock import NS_PER_S

__all__ = ["Forecast", "ForecastReport", "forecast_month"]

_CONFIDENCE: Final = 0.8
_DAYS_BACK: Final = 56
_HOUR_NS: Final = 3_600 * NS_PER_S


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Of one class of users, or of all.

    Attributes:
        user_class: "" for users of no class, and for all of them together.
        spent_nanousd: in this month so far.
        days_known: whole days since the first of the last eight weeks on which it spent anything.
        low_nanousd, median_nanousd, high_nanousd: of the whole month; None where too little is
            known: fewer than four weeks, or half of them without any spending.
    """

    user_class: str
    spent_nanousd: int
    days_known: int
    low_nanousd: int | None
    median_nanousd: int | None
    high_nanousd: int | None


class ForecastReport(msgspec.Struct, frozen=True, kw_only=True):
    """The current month.

    Attributes:
        month: as in `2026-11`.
        until_ns: how far spending is known.
        days_left: of the month, with the part of today that is left.
        confidence: with which the month ends between low and high, if it goes on as before.
        least_days: whole days that must be known.
        total: of all classes together; drawn by itself, so the medians of the classes do not
            quite add up to it.
        classes: each by itself, the costliest first.
        planned_nanousd: of the whole month by the plan; None without one.
    """

    month: str
    time_zone: str
    until_ns: int
    days_left: float
    confidence: float
    least_days: int
    total: Forecast
    classes: list[Forecast]
    planned_nanousd: int | None


def forecast_month(books: Books, plan: Plan, *, now_ns: int) -> ForecastReport:
    """What the month of a moment (UTC ns) will have cost at its end.

    Raises:
        UnpricedModel: the plan is about a model whose price nobody knows.
    """
    zone = books.zone
    today = day_of(now_ns, zone)
    first, next_month = month_days(today)
    since = today - timedelta(days=_DAYS_BACK)
    midnights = day_edges_ns(since, today, zone)
    tomorrow_ns = midnight_ns(today + timedelta(days=1), zone)
    by_class = _by_class(books, [*midnights, tomorrow_ns])
    left = Fraction(tomorrow_ns - now_ns, tomorrow_ns - midnights[-1])
    shares = [float(left)] + [1.0] * ((next_month - today).days - 1)
    in_month = min((today - first).days, _DAYS_BACK)
    classes = [_forecast(name, days, shares, in_month=in_month) for name, days in by_class.items()]
    together = [sum(days) for days in zip(*by_class.values(), strict=True)]
    month = whole_days(first, next_month, zone)
    return ForecastReport(
        month=f"{first:%Y-%m}",
        time_zone=zone.key,
        until_ns=now_ns,
        days_left=sum(shares),
        confidence=_CONFIDENCE,
        least_days=LEAST_DAYS,
        total=_forecast("", together or [0], shares, in_month=in_month),
        classes=sorted(classes, key=lambda line: (-line.spent_nanousd, line.user_class)),
        planned_nanousd=planned_nanousd(books, plan, month) if _covers(plan, today) else None,
    )


def _covers(plan: Plan, today: date) -> bool:
    return plan.on(today) is not None


def _by_class(books: Books, edges_ns: Sequence[int]) -> dict[str, list[int]]:
    """Nano-dollars of each day, by class; the last day is today."""
    place = {edge_ns - edge_ns % _HOUR_NS: at for at, edge_ns in enumerate(edges_ns)}
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(edges_ns) - 1))
    for fact in books.reader.spend_facts(edges_ns):
        found[fact.user_class][place[fact.since_ns]] += fact.cost_nanousd
    return dict(found)


def _forecast(
    name: str, days: Sequence[int], shares: Sequence[float], *, in_month: int
) -> Forecast:
    """Of amounts by day, today the last; so many whole days before it are of this month."""
    *before, today = days
    spent = today + sum(before[len(before) - in_month :])
    begun = next((at for at, amount in enumerate(before) if amount), len(before))
    ahead = look_ahead(before[begun:], shares, confidence=_CONFIDENCE)
    low, median, high = (None,) * 3 if ahead is None else _with(ahead, spent)
    return Forecast(
        user_class=name,
        spent_nanousd=spent,
        days_known=len(before) - begun,
        low_nanousd=low,
        median_nanousd=median,
        high_nanousd=high,
    )


def _with(ahead: Outlook, spent: int) -> tuple[int, int, int]:
    return spent + ahead.low, spent + ahead.median, spent + ahead.high
