"""The chain from the planned bill to the real one."""

from fractions import Fraction
from math import prod
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from insights.bills import pair
from trimtab.insights.bill_chain import STEPS, Pair, chain_bills, reference_prices
from trimtab.insights.bill_sides import Side, Tokens, cost_of, real_side, scaled
from trimtab.insights.cause_words import CAUSE_WORDS, measure
from trimtab.spend.unit_prices import UnitPrices
from trimtab.stats.factors import chain_factors, share_difference

SMART, FAST = "openai:smart", "openai:fast"
PRICES = {
    SMART: UnitPrices(Fraction(2_000), Fraction(500), Fraction(2_500), Fraction(8_000)),
    FAST: UnitPrices(Fraction(500), Fraction(125), Fraction(500), Fraction(2_000)),
}


def of(calls: int, tokens: tuple[int, int, int], model: str = SMART, **changes: Any) -> Side:
    """Calls with so many tokens each: input, cached input, output."""
    size = [Fraction(calls * count) for count in tokens]
    used = Tokens(Fraction(calls), size[0], size[1], Fraction(0), size[2], Fraction(0))
    used = used._replace(cost=cost_of(used, PRICES[model]))
    count = Fraction(calls)
    values: dict[str, Any] = {
        "user_days": count / 4,
        "sessions": count / 2,
        "asked": count,
        "inferences": count,
        "called": count,
        "answered": count,
        "models": {model: used},
        "waste": {},
    }
    return Side(**values | changes)


def factors(*pairs: Pair) -> dict[str, Fraction]:
    """Those that are not 1."""
    planned, steps = chain_bills(pairs)
    found = {factor.name: factor.factor for factor in chain_factors(planned, steps)}
    return {name: factor for name, factor in found.items() if factor != 1}


def both(plan: Side, real: Side) -> Pair:
    return Pair(plan, real, PRICES)


@given(pairs=st.lists(pair(), min_size=1, max_size=4))
def test_the_causes_multiply_to_the_ratio_exactly(pairs: list[Pair]) -> None:
    planned, steps = chain_bills(pairs)
    actual = sum((p.real.bill for p in pairs if p.real is not None), Fraction(0))
    assert steps[-1].bill == actual
    names = [step.name for step in steps]
    assert names == [name for name in STEPS if name in names]
    assert set(STEPS) - set(names) <= {"requests"}
    assert set(names) <= CAUSE_WORDS.keys()
    assume(planned and actual)
    found = chain_factors(planned, steps)
    assert prod((factor.factor for factor in found), start=Fraction(1)) == actual / planned
    if round(planned):
        amounts = share_difference(round(planned), int(actual), [part.factor for part in found])
        assert sum(amounts) == int(actual) - round(planned)
    assert measure(pairs, steps, Fraction(30)).keys() == {step.name for step in steps}


def test_each_quantity_has_its_own_factor() -> None:
    plan = of(1_000, (900, 0, 250))
    assert factors(both(plan, plan)) == {}
    assert factors(both(plan, scaled(plan, Fraction(3, 2)))) == {"users": Fraction(3, 2)}
    more = of(1_000, (900, 0, 250), user_days=Fraction(200))
    assert factors(both(plan, more)) == {"users": Fraction(4, 5), "sessions": Fraction(5, 4)}
    longer = of(1_000, (900, 0, 250), sessions=Fraction(250))
    assert factors(both(plan, longer)) == {"sessions": Fraction(1, 2), "turns": 2}
    again = of(1_100, (900, 0, 250), user_days=Fraction(250), sessions=Fraction(500))
    again = again._replace(asked=Fraction(1_000))
    assert factors(both(plan, again)) == {"regenerations": Fraction(11, 10)}
    cached = plan._replace(inferences=Fraction(1_000), called=Fraction(900))
    served = of(900, (900, 0, 250))
    cached = cached._replace(answered=Fraction(900), models=served.models)
    assert factors(both(plan, cached)) == {"response_cache": Fraction(9, 10)}


def test_the_price_of_a_call_falls_into_its_parts() -> None:
    plan = of(1_000, (900, 360, 250))
    # A call: 540 x 2 + 360 x 0.5 + 250 x 8 = 3,260 micro-dollars.
    assert factors(both(plan, of(1_000, (1_800, 720, 250)))) == {"prompts": Fraction(4_520, 3_260)}
    assert factors(both(plan, of(1_000, (900, 360, 125)))) == {"answers": Fraction(2_260, 3_260)}
    assert factors(both(plan, of(1_000, (900, 0, 250)))) == {"prompt_cache": Fraction(3_800, 3_260)}
    assert factors(both(plan, of(1_000, (900, 360, 250), FAST))) == {"models": Fraction(1, 4)}
    dearer = of(1_000, (900, 360, 250))
    tokens = dearer.models[SMART]
    dearer = dearer._replace(models={SMART: tokens._replace(cost=tokens.cost * 2)})
    assert factors(both(plan, dearer)) == {"prices": 2}
    assert factors(both(dearer, dearer)) == {}


def test_waste_is_told_by_its_kind() -> None:
    plan = of(1_000, (900, 0, 250))
    core = plan.core
    waste = {"retries": core / 10, "hedges": core / 20, "cancelled": core / 40}
    real = plan._replace(waste=waste)
    assert factors(both(plan, real)) == {
        "retries": Fraction(11, 10),
        "hedges": Fraction(115, 110),
        "cancelled": Fraction(1_175, 1_150),
    }
    # Against a time with the same waste, none of it is a cause.
    assert factors(both(real, scaled(real, Fraction(2)))) == {"users": 2}
    fewer = of(900, (900, 0, 250), user_days=Fraction(250), sessions=Fraction(500))
    fewer = fewer._replace(
        asked=Fraction(1_000), inferences=Fraction(1_000), called=Fraction(1_000)
    )
    assert factors(both(plan, fewer)) == {"unanswered": Fraction(9, 10)}


def test_what_is_not_known_is_not_told_apart() -> None:
    plan = of(1_000, (900, 0, 250), sessions=None)
    real = of(1_500, (900, 0, 250))
    planned, steps = chain_bills([both(plan, real)])
    found = {factor.name: factor for factor in chain_factors(planned, steps)}
    assert found["users"].factor == Fraction(3, 2)
    assert found["sessions"].part_of == found["turns"].part_of == "requests"
    nobody = of(1_000, (900, 0, 250), sessions=None, user_days=None)
    planned, steps = chain_bills([both(nobody, real)])
    found = {factor.name: factor for factor in chain_factors(planned, steps)}
    assert found["users"].part_of == "requests"
    assert found["requests"].factor == Fraction(3, 2)
    words = measure([both(nobody, real)], steps, Fraction(10))
    assert words["requests"] == (100.0, 150.0, "requests a day")


def test_nobody_asked_for_anything_new() -> None:
    assert real_side([], []).user_days == real_side([], []).sessions == 0


def test_users_outside_the_plan_come_last() -> None:
    plan = of(1_000, (900, 0, 250))
    extra = Pair(None, of(500, (900, 0, 250)), PRICES)
    assert factors(both(plan, plan), extra) == {"outside": Fraction(3, 2)}
    # Half of the planned users never came.
    gone = Pair(plan, None, PRICES)
    assert factors(both(plan, plan), gone) == {"users": Fraction(1, 2)}


def test_nothing_but_failures_is_told_as_not_answered() -> None:
    plan = of(1_000, (900, 0, 250))
    real = plan._replace(answered=Fraction(0), models={}, waste={"failed": plan.core / 4})
    assert factors(both(plan, real)) == {"unanswered": Fraction(1, 4)}


def test_a_free_model_in_the_books_does_not_divide_by_zero() -> None:
    free = {SMART: UnitPrices(*[Fraction(0)] * 4), FAST: PRICES[FAST]}
    plan = of(1_000, (900, 0, 250))
    real = of(1_000, (900, 0, 250), FAST)
    assert factors(Pair(plan, real, free)) == {"models": Fraction(1, 4)}


def nobody_knows(model: str, at_ns: int, input_tokens: int) -> None:
    return None


def test_a_model_that_nobody_knows_the_price_of() -> None:
    side = of(1_000, (900, 100, 100), FAST)
    found, unknown = reference_prices([side, side], nobody_knows, 0)
    assert unknown == [FAST]
    assert cost_of(side.models[FAST], found[FAST]) == side.core
    nothing = Tokens(*[Fraction(0)] * 6)
    found, _ = reference_prices([side._replace(models={FAST: nothing})], nobody_knows, 0)
    assert found[FAST] == UnitPrices(*[Fraction(0)] * 4)


def test_a_plan_without_input_or_output_takes_the_price_of_the_model() -> None:
    plan = of(1_000, (0, 0, 250))
    assert factors(both(plan, of(1_000, (1_000, 0, 250)))) == {"prompts": Fraction(2)}
    plan = of(1_000, (1_000, 0, 0))
    assert factors(both(plan, of(1_000, (1_000, 0, 250)))) == {"answers": Fraction(2)}
