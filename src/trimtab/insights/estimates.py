"""What the plan says that the product costs."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from trimtab.config.plan import NO_CLASS, Estimate, Plan, PlanPrice
from trimtab.insights.bill_sides import planned_side
from trimtab.insights.explain import Books, estimate_prices, priced_model
from trimtab.insights.finance_days import midnight_ns
from trimtab.insights.periods import Period

__all__ = ["PlannedBill", "planned_bills", "planned_nanousd", "with_price"]

_DAYS = 30
_NANO_PER_TOKEN = 1_000  # one USD per million tokens is a thousand nano-dollars per token


class PlannedBill(msgspec.Struct, frozen=True, kw_only=True):
    """One estimate and what it comes to.

    Attributes:
        since: the day from which it holds, as in `2026-10-01`.
        holds: it is one of those that hold today.
        day_nanousd: of its first day.
        month_nanousd: of its first thirty days, growth included.
        user_nanousd: of one user in thirty days.
    """

    since: str
    user_class: str
    holds: bool
    model: str
    users: int
    users_growth: float
    requests_per_user_per_day: float
    turns_per_session: float | None
    input_tokens: float
    output_tokens: float
    cached_share: float
    day_nanousd: int
    month_nanousd: int
    user_nanousd: int


def planned_bills(books: Books, plan: Plan, today: date) -> list[PlannedBill]:
    """Every estimate, the oldest first.

    Raises:
        UnpricedModel: an estimate is about a model whose price nobody knows.
    """
    now = plan.on(today)
    return [
        _bill(books, (since, name), estimate, holds=now is not None and now[0] == since)
        for since, estimates in plan.estimates.items()
        for name, estimate in estimates.items()
    ]


def planned_nanousd(books: Books, plan: Plan, period: Period) -> int:
    """What a period costs by the plan; days before the first estimate cost nothing.

    Raises:
        UnpricedModel: an estimate is about a model whose price nobody knows.
    """
    total = Fraction(0)
    for day, share in period.by_day():
        found = plan.on(day)
        if found is not None:
            since, estimates = found
            for estimate in estimates.values():
                users = estimate.users_on((day - since).days)
                total += share * users * _of_one(books, estimate, since)
    return round(total)


def with_price(books: Books, estimate: Estimate, since: date) -> Estimate:
    """The same estimate with the price that its model has on its first day.

    Raises:
        UnpricedModel: nobody knows it.
    """
    prices = estimate_prices(books, estimate, since)
    version = books.prices.version(
        priced_model(books.project, estimate), midnight_ns(since, books.zone)
    )
    per_mtok = [_decimal(price / _NANO_PER_TOKEN) for price in prices]
    read = dict(zip(("input", "cache_read", "cache_write", "output"), per_mtok, strict=True))
    price = PlanPrice(
        **{f"{unit}_usd_per_mtok": amount for unit, amount in read.items()}, version=version
    )
    return msgspec.structs.replace(estimate, price=price)


def _bill(books: Books, place: tuple[date, str], estimate: Estimate, *, holds: bool) -> PlannedBill:
    since, name = place
    one = _of_one(books, estimate, since)
    month = sum((estimate.users_on(day) for day in range(_DAYS)), Fraction(0))
    return PlannedBill(
        since=since.isoformat(),
        user_class=name or NO_CLASS,
        holds=holds,
        model=estimate.model,
        users=estimate.users,
        users_growth=estimate.users_growth,
        requests_per_user_per_day=estimate.requests_per_user_per_day,
        turns_per_session=estimate.turns_per_session,
        input_tokens=estimate.input_tokens,
        output_tokens=estimate.output_tokens,
        cached_share=estimate.cached_share,
        day_nanousd=round(one * estimate.users),
        month_nanousd=round(one * month),
        user_nanousd=round(one * _DAYS),
    )


def _of_one(books: Books, estimate: Estimate, since: date) -> Fraction:
    """Nano-dollars of one user on one day."""
    model = priced_model(books.project, estimate)
    prices = estimate_prices(books, estimate, since)
    return planned_side(estimate, model, prices=prices, user_days=Fraction(1)).bill


def _decimal(value: Fraction) -> Decimal:
    """Exact: prices are decimals."""
    return Decimal(value.numerator) / Decimal(value.denominator)
