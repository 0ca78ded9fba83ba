"""One side of a comparison: what a bill is made of, as planned or as it happened.

Counts are sums over the whole period, as fractions, since a plan may say 7.5 requests.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from trimtab.config.plan import Estimate
from trimtab.spend.unit_prices import UnitPrices
from trimtab.store.records import Fate, SpendFacts, Visits

__all__ = ["WASTE", "Side", "Tokens", "cost_of", "planned_side", "real_side", "scaled"]

WASTE: Final[tuple[tuple[str, tuple[Fate, ...]], ...]] = (
    ("retries", ("retried", "continued")),
    ("failovers", ("failed_over",)),
    ("hedges", ("hedge_lost",)),
    ("failed", ("failed",)),
    ("cancelled", ("cancelled",)),
    ("broken", ("broken",)),
)
"""Causes that are money for nothing, with the fates of the attempts that cost it."""

_ANSWERED: Final = ("answered", "cut")
_NEARLY_ALL: Final = Fraction(95, 100)
_NONE: Final = Fraction(0)


class Tokens(NamedTuple):
    """Of the calls of one model that were answered.

    Attributes:
        input: all of it, both kinds of cached input included.
        cost: nano-dollars.
    """

    calls: Fraction
    input: Fraction
    cache_read: Fraction
    cache_write: Fraction
    output: Fraction
    cost: Fraction


class Side(NamedTuple):
    """One class of users.

    Attributes:
        user_days: different users of each day, added up; None where it is not known.
        sessions: how many began; None where it is not known.
        asked: inferences that users asked for, without those that they asked for again.
        inferences: all of them.
        called: those that the response cache did not answer.
        answered: those of them that ended with an answer.
        models: tokens and cost of these, by model.
        waste: nano-dollars by the names of `WASTE`.
    """

    user_days: Fraction | None
    sessions: Fraction | None
    asked: Fraction
    inferences: Fraction
    called: Fraction
    answered: Fraction
    models: dict[str, Tokens]
    waste: dict[str, Fraction]

    @property
    def core(self) -> Fraction:
        """What the answers cost."""
        return sum((tokens.cost for tokens in self.models.values()), _NONE)

    @property
    def bill(self) -> Fraction:
        """What everything cost."""
        return self.core + sum(self.waste.values(), _NONE)

    def total(self) -> Tokens:
        """Of all models."""
        columns = zip(*self.models.values(), strict=True)
        return Tokens(*(sum(column, _NONE) for column in columns))


def planned_side(
    estimate: Estimate, model: str, *, prices: UnitPrices, user_days: Fraction
) -> Side:
    """What an estimate says of some days.

    Args:
        estimate: of one class.
        model: `provider:model` that its model stands for.
        prices: those that it was made with.
        user_days: users of each day, added up.
    """
    asked = user_days * _exact(estimate.requests_per_user_per_day)
    turns = estimate.turns_per_session
    read = asked * _exact(estimate.input_tokens) * _exact(estimate.cached_share)
    tokens = Tokens(
        calls=asked,
        input=asked * _exact(estimate.input_tokens),
        cache_read=read,
        cache_write=_NONE,
        output=asked * _exact(estimate.output_tokens),
        cost=_NONE,
    )
    return Side(
        user_days=user_days,
        sessions=None if turns is None else asked / _exact(turns),
        asked=asked,
        inferences=asked,
        called=asked,
        answered=asked,
        models={model: tokens._replace(cost=cost_of(tokens, prices))},
        waste={},
    )


def real_side(facts: Sequence[SpendFacts], visits: Iterable[Visits]) -> Side:
    """What happened, by the facts of a period and the visits of each of its days."""
    visits = list(visits)
    first_asked = [fact for fact in facts if not fact.repeat]
    asked = _count(first_asked)
    inferences = _count(facts)
    cached = _count(fact for fact in facts if fact.fate == "cached")
    fates: defaultdict[Fate, int] = defaultdict(int)
    for fact in facts:
        fates[fact.fate] += fact.cost_nanousd
    return Side(
        user_days=_extended(
            sum(visit.users for visit in visits),
            _count(fact for fact in first_asked if fact.with_user),
            asked,
        ),
        sessions=_extended(
            sum(visit.sessions for visit in visits),
            _count(fact for fact in first_asked if fact.with_session),
            asked,
        ),
        asked=asked,
        inferences=inferences,
        called=inferences - cached,
        answered=_count(fact for fact in facts if fact.fate in _ANSWERED),
        models=_models(facts),
        waste={name: Fraction(sum(fates[fate] for fate in of)) for name, of in WASTE},
    )


def scaled(side: Side, times: Fraction) -> Side:
    """The same over a period so many times as long."""
    return Side(
        user_days=None if side.user_days is None else side.user_days * times,
        sessions=None if side.sessions is None else side.sessions * times,
        asked=side.asked * times,
        inferences=side.inferences * times,
        called=side.called * times,
        answered=side.answered * times,
        models={
            model: Tokens(*(figure * times for figure in tokens))
            for model, tokens in side.models.items()
        },
        waste={name: amount * times for name, amount in side.waste.items()},
    )


def cost_of(tokens: Tokens, prices: UnitPrices) -> Fraction:
    """Nano-dollars for tokens at prices of text."""
    plain = tokens.input - tokens.cache_read - tokens.cache_write
    return (
        plain * prices.input
        + tokens.cache_read * prices.cache_read
        + tokens.cache_write * prices.cache_write
        + tokens.output * prices.output
    )


def _extended(count: int, known: Fraction, asked: Fraction) -> Fraction | None:
    """A count of those with a name, taken to hold for the few without; None if they are many."""
    if not asked:
        return _NONE
    if known < asked * _NEARLY_ALL:
        return None
    return count * asked / known


def _models(facts: Iterable[SpendFacts]) -> dict[str, Tokens]:
    found: defaultdict[str, Tokens] = defaultdict(lambda: Tokens(*[_NONE] * 6))
    for fact in facts:
        if fact.fate in _ANSWERED:
            usage, before = fact.usage, found[fact.model]
            found[fact.model] = Tokens(
                before.calls + fact.inferences,
                before.input + usage.input_tokens,
                before.cache_read + usage.cache_read_tokens,
                before.cache_write + usage.cache_write_tokens,
                before.output + usage.output_tokens,
                before.cost + fact.cost_nanousd,
            )
    return dict(found)


def _count(facts: Iterable[SpendFacts]) -> Fraction:
    return Fraction(sum(fact.inferences for fact in facts))


def _exact(value: float) -> Fraction:
    """The decimal that was written, not the nearest binary number."""
    return Fraction(str(value))
