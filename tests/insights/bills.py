"""Sides of a bill to compare, with anything in them."""

from fractions import Fraction

from hypothesis import strategies as st

from trimtab.insights.bill_chain import Pair
from trimtab.insights.bill_sides import WASTE, Side, Tokens
from trimtab.spend.unit_prices import UnitPrices

MODELS: tuple[str, ...] = ("openai:smart", "openai:fast", "azure:smart")

COUNTS = st.integers(0, 10_000).map(Fraction)
AMOUNTS = st.integers(0, 10**12).map(Fraction)
PRICES = st.integers(0, 50_000).map(Fraction)


@st.composite
def tokens(draw: st.DrawFn) -> Tokens:
    whole = draw(COUNTS)
    read = draw(st.integers(0, int(whole)).map(Fraction))
    write = draw(st.integers(0, int(whole - read)).map(Fraction))
    calls = draw(st.integers(1, 1_000).map(Fraction))
    return Tokens(calls, whole, read, write, draw(COUNTS), draw(AMOUNTS))


@st.composite
def side(draw: st.DrawFn) -> Side:
    models = draw(st.dictionaries(st.sampled_from(MODELS), tokens(), max_size=3))
    answered = sum((part.calls for part in models.values()), Fraction(0))
    called = answered + draw(COUNTS)
    inferences = called + draw(COUNTS)
    repeats = draw(st.integers(0, int(inferences)).map(Fraction))
    asked = inferences - repeats
    waste = {name: draw(AMOUNTS) for name, _ in WASTE} if called else {}
    return Side(
        user_days=draw(st.none() | st.just(asked / 3)),
        sessions=draw(st.none() | st.just(asked / 2)),
        asked=asked,
        inferences=inferences,
        called=called,
        answered=answered,
        models=models,
        waste=waste,
    )


@st.composite
def pair(draw: st.DrawFn) -> Pair:
    prices = {model: UnitPrices(*(draw(PRICES) for _ in range(4))) for model in MODELS}
    plan, real = draw(st.none() | side()), draw(st.none() | side())
    return Pair(plan, real, prices)
