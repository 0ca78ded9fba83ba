"""From the planned bill to the real one, one quantity at a time. Pure; `docs/explain.md` says more.

Each class of users (and stretch of the plan) is a pair of sides with a chain of its own. The bills
of all pairs are added up step by step, and the factors are taken of the sums, so that their
product is the ratio of the whole bill exactly.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from trimtab.insights.bill_sides import WASTE, Side, Tokens, cost_of
from trimtab.spend.unit_prices import UnitPrices
from trimtab.stats.factors import Step

__all__ = ["STEPS", "Pair", "Prices", "chain_bills", "reference_prices"]

_CALLS: Final = ("prompts", "answers", "models", "prompt_cache", "prices")
_COUNTS: Final = ("users", "sessions", "turns", "requests", "regenerations", "response_cache")
STEPS: Final = (*_COUNTS, *_CALLS, "unanswered", *[name for name, _ in WASTE], "outside")
"""In the order in which the plan's quantities are replaced by the real ones."""

_NONE: Final = Fraction(0)

Prices = Callable[[str, int, int], UnitPrices | None]
"""(`provider:model`, UTC ns, input tokens of a call) -> prices, if anybody knows them."""


class Pair(NamedTuple):
    """One class of users as it was planned and as it was.

    Attributes:
        plan: None where nothing was planned for it.
        real: None where it did not come.
        prices: of every model of either side, at the time of the plan.
    """

    plan: Side | None
    real: Side | None
    prices: Mapping[str, UnitPrices]


class _Input(NamedTuple):
    """What a token costs on average, and which shares of the input are cached."""

    input_price: Fraction
    output_price: Fraction
    read_share: Fraction
    write_share: Fraction


def chain_bills(pairs: Sequence[Pair]) -> tuple[Fraction, list[Step]]:
    """The planned bill, and the bill after each of `STEPS`; the last one is the real bill.

    How many sessions came, or users, counts only where every pair knows it of both its sides.
    Requests per user are a step of their own only where sessions are not known.
    """
    known = [pair for pair in pairs if pair.plan is not None and pair.real is not None]
    unknown = {
        name
        for name, field in (("users", "user_days"), ("sessions", "sessions"))
        if any(getattr(side, field) is None for pair in known for side in pair[:2])
    }
    told = set(STEPS)
    if "sessions" in unknown:
        unknown.add("turns")
    else:
        told.remove("requests")
    chains = [_chain(pair) for pair in pairs]
    planned = sum((pair.plan.bill for pair in pairs if pair.plan is not None), _NONE)
    return planned, [
        Step(name, None if name in unknown else sum((chain[name] for chain in chains), _NONE))
        for name in STEPS
        if name in told
    ]


def reference_prices(
    sides: Sequence[Side], prices: Prices, at_ns: int
) -> tuple[dict[str, UnitPrices], list[str]]:
    """Prices of all models of some sides at a time, and the models of which nobody knows any.

    What such a model cost is spread over its tokens alike, so that nothing of it is lost.
    """
    found: dict[str, UnitPrices] = {}
    unknown: list[str] = []
    for side in sides:
        for model, tokens in side.models.items():
            if model in found:
                continue
            per_call = round(tokens.input / tokens.calls) if tokens.calls else 0
            known = prices(model, at_ns, per_call)
            if known is None:
                unknown.append(model)
                count = tokens.input + tokens.output
                known = UnitPrices(*[tokens.cost / count if count else _NONE] * 4)
            found[model] = known
    return found, unknown


def _chain(pair: Pair) -> dict[str, Fraction]:
    """The bill of one pair after each step; a step that is not told has any."""
    plan, real, prices = pair
    if plan is None or not plan.core or real is None:
        # Nothing to compare with: all of it is told at the end, or goes with the users.
        before = plan.bill if plan is not None and real is not None else _NONE
        bills = dict.fromkeys(STEPS, before)
        bills["outside"] = real.bill if real is not None else _NONE
        return bills
    bills = {name: plan.bill * times for name, times in _counts(plan, real).items()}
    called = bills["response_cache"]
    if not real.core:
        bills |= dict.fromkeys(_CALLS, called)
        return bills | dict.fromkeys(STEPS[STEPS.index("unanswered") :], real.bill)
    per_call = plan.core / plan.answered
    for name, value in zip(_CALLS, _per_call(plan, real, prices), strict=True):
        bills[name] = called * value / per_call
    bills |= _waste(plan, real)
    bills["outside"] = real.bill
    return bills


def _counts(plan: Side, real: Side) -> dict[str, Fraction]:
    """How many times the planned bill it is after each step."""

    def ratio(mine: Fraction | None, theirs: Fraction | None) -> Fraction:
        return (mine or _NONE) / theirs if theirs else _NONE

    asked = ratio(real.asked, plan.asked)
    return {
        "users": ratio(real.user_days, plan.user_days),
        "sessions": ratio(real.sessions, plan.sessions),
        "turns": asked,
        "requests": asked,
        "regenerations": ratio(real.inferences, plan.inferences),
        "response_cache": ratio(real.called, plan.called),
    }


def _per_call(plan: Side, real: Side, prices: Mapping[str, UnitPrices]) -> list[Fraction]:
    """What an answered call costs after each step of `_CALLS`, the first one not included."""
    mine, theirs = real.total(), plan.total()
    reference = _reference(plan.models, prices)
    now = real.core / real.answered
    if not reference:  # the plan's model is free by its prices, and cost something all the same
        before = plan.core / plan.answered
        return [before, before, now, now, now]
    # What the plan's own prices are, other than those of reference: tiers, audio, a new price.
    dearer = plan.core / reference
    average = _average(plan, prices)
    input_tokens, output_tokens = mine.input / real.answered, mine.output / real.answered
    prompts = input_tokens * average.input_price + (
        theirs.output / plan.answered * average.output_price
    )
    answers = input_tokens * average.input_price + output_tokens * average.output_price
    models = sum(
        (
            cost_of(_as_cached(tokens, plan.models.get(model), average), prices[model])
            for model, tokens in real.models.items()
        ),
        _NONE,
    )
    cached = _reference(real.models, prices)
    return [
        prompts * dearer,
        answers * dearer,
        models * dearer / real.answered,
        cached * dearer / real.answered,
        now,
    ]


def _average(plan: Side, prices: Mapping[str, UnitPrices]) -> _Input:
    """Of all models of the plan, each with its own share of the tokens."""
    total = plan.total()
    output = sum((t.output * prices[m].output for m, t in plan.models.items()), _NONE)
    by_calls = sum((t.calls * prices[m].output for m, t in plan.models.items()), _NONE)
    whole = _reference(plan.models, prices)
    by_input = sum((t.calls * prices[m].input for m, t in plan.models.items()), _NONE)
    return _Input(
        (whole - output) / total.input if total.input else by_input / total.calls,
        output / total.output if total.output else by_calls / total.calls,
        total.cache_read / total.input if total.input else _NONE,
        total.cache_write / total.input if total.input else _NONE,
    )


def _as_cached(tokens: Tokens, plan: Tokens | None, average: _Input) -> Tokens:
    """The same tokens, with as much of the input cached as the plan has it."""
    read, write = average.read_share, average.write_share
    if plan is not None and plan.input:
        read, write = plan.cache_read / plan.input, plan.cache_write / plan.input
    return tokens._replace(cache_read=tokens.input * read, cache_write=tokens.input * write)


def _reference(models: Mapping[str, Tokens], prices: Mapping[str, UnitPrices]) -> Fraction:
    return sum((cost_of(tokens, prices[model]) for model, tokens in models.items()), _NONE)


def _waste(plan: Side, real: Side) -> dict[str, Fraction]:
    """The bill with the real answers and the planned waste, then with one kind after the other."""
    bill = real.core * plan.bill / plan.core
    bills = {"unanswered": bill}
    mine, theirs = real.core, plan.core
    for name, _ in WASTE:
        before_mine, before_theirs = mine, theirs
        mine += real.waste.get(name, _NONE)
        theirs += plan.waste.get(name, _NONE)
        bill *= (mine / before_mine) / (theirs / before_theirs)
        bills[name] = bill
    return bills
