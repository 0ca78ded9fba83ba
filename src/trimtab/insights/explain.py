"""Why the bill is not the estimate, or not that of the time before: cause by cause."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from trimtab.config.plan import EVERYONE, Estimate, Plan, PlanPrice
from trimtab.config.schema import Project
from trimtab.errors import UnpricedModel, UsageError
from trimtab.insights.bill_chain import Pair, chain_bills, reference_prices
from trimtab.insights.bill_sides import Side, planned_side, real_side, scaled
from trimtab.insights.cause_words import Measured, measure
from trimtab.insights.finance_days import midnight_ns
from trimtab.insights.periods import Period
from trimtab.spend.unit_prices import ModelPrices, UnitPrices
from trimtab.stats.factors import Step, chain_factors, share_difference
from trimtab.store.protocol import Reader
from trimtab.store.records import SpendFacts, Visits

__all__ = [
    "Books",
    "Cause",
    "ClassBill",
    "ExplainReport",
    "estimate_prices",
    "explain_against",
    "explain_plan",
    "priced_model",
]

_NANO_PER_TOKEN = 1_000  # one USD per million tokens is a thousand nano-dollars per token


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One cause of the difference. All factors multiply to the ratio, all amounts add up.

    Attributes:
        name: stable word; see `docs/explain.md`.
        planned, happened: the quantity behind it, in `unit`; None where it is not known.
        factor: by how much it multiplies the bill; 1 where it is not told apart.
        part_of: the cause that includes it where it is not told apart, else "".
        amount_nanousd: what it adds to the bill, whichever order the causes are taken in.
        bill_nanousd: the bill once this cause and those before it are taken in.
    """

    name: str
    planned: float | None
    happened: float | None
    unit: str
    factor: float
    part_of: str
    amount_nanousd: int
    bill_nanousd: int


class ClassBill(msgspec.Struct, frozen=True, kw_only=True):
    """One class of users; `everyone` where the plan does not tell them apart."""

    user_class: str
    planned_nanousd: int
    actual_nanousd: int


class ExplainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was planned, what was spent, and why.

    Attributes:
        since_ns, until_ns: what is explained; whole days in `time_zone`, except for today.
        days: how many that is.
        against: the plan, or an earlier period.
        against_since_ns, against_until_ns: that period; 0 for the plan.
        planned_nanousd: by the plan, or of that period, stretched to the same number of days.
        ratio: actual over planned; the factors multiply to it.
        notes: what the reader must know to judge it.
    """

    since_ns: int
    until_ns: int
    time_zone: str
    days: float
    against: Literal["plan", "period"]
    against_since_ns: int
    against_until_ns: int
    planned_nanousd: int
    actual_nanousd: int
    ratio: float
    causes: list[Cause]
    classes: list[ClassBill]
    notes: list[str]


class Books(NamedTuple):
    """Where answers come from."""

    reader: Reader
    project: Project
    prices: ModelPrices

    @property
    def zone(self) -> ZoneInfo:
        """The finance time zone."""
        return ZoneInfo(self.project.spend.time_zone)


class _Known(NamedTuple):
    """Pairs by class, and models of which nobody knows a price any more."""

    pairs: list[tuple[str, Pair]]
    unpriced: list[str]


def explain_plan(books: Books, plan: Plan, period: Period) -> ExplainReport:
    """The bill of a period against the plan.

    Raises:
        UsageError: there is no estimate for it, or nothing was spent.
        UnpricedModel: an estimate is about a model whose price nobody knows.
    """
    first = next((at for at, day in enumerate(period.days) if plan.on(day) is not None), None)
    if first is None:
        raise UsageError(
            f"{plan.file} has no estimate for this time. Add one with `trimtab spend plan`, or "
            "compare with an earlier time: --against 30d."
        )
    covered = period.slice(first, len(period.days))
    notes = [f"The first estimate is of {covered.days[0]}: nothing is told of before."][: first > 0]
    known = _Known([], [])
    for since, estimates, part in _stretches(plan, covered):
        _add_stretch(books, (since, estimates), part, known=known)
    return _report(known, covered, notes=notes, base=None, zone=books.zone)


def explain_against(books: Books, period: Period, base: Period) -> ExplainReport:
    """The bill of a period against that of another one.

    Raises:
        UsageError: nothing was spent in one of them.
    """
    real = _by_class(books.reader, period)
    earlier = {
        name: scaled(side, period.length / base.length)
        for name, side in _by_class(books.reader, base).items()
    }
    if not sum(side.bill for side in earlier.values()):
        raise UsageError(
            "Nothing was spent in the time to compare with. Choose another with --against, or "
            "write down an estimate with `trimtab spend plan`."
        )
    known = _Known([], [])
    for name in sorted(earlier.keys() | real.keys()):
        _add_pair(known, name, (earlier.get(name), real.get(name)), at=_at(books, base.until_ns))
    return _report(known, period, notes=[], base=base, zone=books.zone)


def priced_model(project: Project, estimate: Estimate) -> str:
    """`provider:model` that an estimate is about."""
    return str(project.targets[estimate.model].rungs[0].ref)


def estimate_prices(books: Books, estimate: Estimate, since: date) -> UnitPrices:
    """What the model of an estimate cost when it was made.

    Raises:
        UnpricedModel: nobody knows.
    """
    if estimate.price is not None:
        return _declared(estimate.price)
    model = priced_model(books.project, estimate)
    at_ns = midnight_ns(since, books.zone)
    found = books.prices.of(model, at_ns, round(estimate.input_tokens))
    if found is None:
        raise UnpricedModel(
            f"{model} has no price, so what it was expected to cost is not known. Add a price "
            f"table to the estimate, or declare a price of the model {estimate.model!r}."
        )
    return found


def _declared(price: PlanPrice) -> UnitPrices:
    return UnitPrices(
        *(
            Fraction(amount) * _NANO_PER_TOKEN
            for amount in (
                price.input_usd_per_mtok,
                price.cache_read_usd_per_mtok,
                price.cache_write_usd_per_mtok,
                price.output_usd_per_mtok,
            )
        )
    )


class _At(NamedTuple):
    """Prices at one time, and those that a plan brings along."""

    prices: ModelPrices
    at_ns: int
    own: Mapping[str, UnitPrices]

    def of(self, model: str, at_ns: int, input_tokens: int) -> UnitPrices | None:
        return self.own.get(model) or self.prices.of(model, at_ns, input_tokens)


def _at(books: Books, at_ns: int, own: Mapping[str, UnitPrices] | None = None) -> _At:
    return _At(books.prices, at_ns, own or {})


def _stretches(plan: Plan, period: Period) -> Iterator[tuple[date, dict[str, Estimate], Period]]:
    """The parts of a period in which the same estimates hold; none of its days is before all."""
    since_of = [max(first for first in plan.estimates if first <= day) for day in period.days]
    for since, places in groupby(range(len(since_of)), key=since_of.__getitem__):
        there = list(places)
        yield since, plan.estimates[since], period.slice(there[0], there[-1] + 1)


def _add_stretch(
    books: Books, estimates: tuple[date, Mapping[str, Estimate]], part: Period, *, known: _Known
) -> None:
    since, by_class = estimates
    real = _by_class(books.reader, part, whole=EVERYONE in by_class)
    for name in sorted(by_class.keys() | real.keys()):
        side, own = None, dict[str, UnitPrices]()
        estimate = by_class.get(name)
        if estimate is not None:
            model = priced_model(books.project, estimate)
            own[model] = estimate_prices(books, estimate, since)
            user_days = sum(
                (share * estimate.users_on((day - since).days) for day, share in part.by_day()),
                Fraction(0),
            )
            side = planned_side(estimate, model, prices=own[model], user_days=user_days)
        at = _at(books, midnight_ns(since, books.zone), own)
        _add_pair(known, name, (side, real.get(name)), at=at)


def _add_pair(known: _Known, name: str, sides: tuple[Side | None, Side | None], *, at: _At) -> None:
    prices, unpriced = reference_prices(
        [side for side in sides if side is not None], at.of, at.at_ns
    )
    known.pairs.append((name, Pair(*sides, prices)))
    known.unpriced.extend(unpriced)


def _by_class(reader: Reader, period: Period, *, whole: bool = False) -> dict[str, Side]:
    """What happened, by class; under one name if they are not to be told apart."""
    facts: defaultdict[str, list[SpendFacts]] = defaultdict(list)
    for fact in reader.spend_facts((period.since_ns, period.until_ns)):
        facts[EVERYONE if whole else fact.user_class].append(fact)
    visits: defaultdict[str, list[Visits]] = defaultdict(list)
    for visit in reader.visits(period.edges_ns):
        visits[EVERYONE if whole else visit.user_class].append(visit)
    return {name: real_side(there, visits[name]) for name, there in facts.items()}


def _report(
    known: _Known, period: Period, *, notes: list[str], base: Period | None, zone: ZoneInfo
) -> ExplainReport:
    pairs = [pair for _, pair in known.pairs]
    planned, steps = chain_bills(pairs)
    actual = steps[-1].bill
    if not planned:
        raise UsageError("The plan says that nothing is spent. Give its model a price.")
    if not actual:
        raise UsageError(
            "Nothing was spent in this time, so there is nothing to explain. "
            "Choose another with --since or --month."
        )
    notes = notes + [
        f"{model} has no price any more: all its tokens count as equally dear."
        for model in sorted(set(known.unpriced))
    ]
    return ExplainReport(
        since_ns=period.since_ns,
        until_ns=period.until_ns,
        time_zone=zone.key,
        days=float(period.length),
        against="plan" if base is None else "period",
        against_since_ns=0 if base is None else base.since_ns,
        against_until_ns=0 if base is None else base.until_ns,
        planned_nanousd=round(planned),
        actual_nanousd=int(actual),
        ratio=float(actual / planned),
        causes=_causes(planned, steps, measured=measure(pairs, steps, period.length)),
        classes=_classes(known.pairs),
        notes=notes,
    )


def _causes(
    planned: Fraction, steps: Sequence[Step], *, measured: Mapping[str, Measured]
) -> list[Cause]:
    factors = chain_factors(planned, steps)
    actual = steps[-1].bill
    assert actual, "checked before"
    amounts = share_difference(round(planned), int(actual), [factor.factor for factor in factors])
    found: list[Cause] = []
    bill = planned
    for factor, amount in zip(factors, amounts, strict=True):
        bill *= factor.factor
        figures = measured[factor.name]
        found.append(
            Cause(
                name=factor.name,
                planned=figures.planned,
                happened=figures.happened,
                unit=figures.unit,
                factor=float(factor.factor),
                part_of=factor.part_of,
                amount_nanousd=amount,
                bill_nanousd=round(bill),
            )
        )
    return found


def _classes(pairs: Iterable[tuple[str, Pair]]) -> list[ClassBill]:
    planned: defaultdict[str, Fraction] = defaultdict(Fraction)
    actual: defaultdict[str, Fraction] = defaultdict(Fraction)
    for name, pair in pairs:
        planned[name] += pair.plan.bill if pair.plan is not None else 0
        actual[name] += pair.real.bill if pair.real is not None else 0
    return [
        ClassBill(
            user_class=name, planned_nanousd=round(planned[name]), actual_nanousd=int(actual[name])
        )
        for name in planned
    ]
