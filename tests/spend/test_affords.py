"""How much output an amount pays for: the inverse of what a hold comes to."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trimtab.spend.rates import CardPrices, RateCard, TieredPrice, Unit, compile_card

PRICES = st.decimals(0, 200, places=4, allow_nan=False, allow_infinity=False)


def card(*, input_usd: Decimal, output_usd: Decimal, dear_above: int, per_request: Decimal):
    units: dict[Unit, TieredPrice] = {
        "input": TieredPrice(input_usd, ((dear_above, input_usd * 2),)),
        "output": TieredPrice(output_usd, ((dear_above, output_usd * 3),)),
    }
    return compile_card(CardPrices(units, per_request), "v1")


CARDS = st.builds(
    card,
    input_usd=PRICES,
    output_usd=PRICES,
    dear_above=st.integers(0, 10_000),
    per_request=PRICES,
)


@given(made=CARDS, input_tokens=st.integers(0, 20_000), nanousd=st.integers(0, 10**12))
def test_what_is_afforded_fits_and_a_token_more_does_not(
    made: RateCard, input_tokens: int, nanousd: int
):
    most = made.affords(input_tokens, nanousd)
    if most < 0:
        assert made.hold_nanousd(input_tokens, 0) > nanousd
    else:
        assert made.hold_nanousd(input_tokens, most) <= nanousd
        more = made.hold_nanousd(input_tokens, most + 1)
        assert more > nanousd or made.hold_nanousd(input_tokens, 1 << 39) <= nanousd


@given(made=CARDS, input_tokens=st.integers(0, 20_000), overspent=st.integers(1, 10**9))
def test_what_is_overspent_affords_nothing(made: RateCard, input_tokens: int, overspent: int):
    assert made.affords(input_tokens, -overspent) < 0


def test_free_output_is_afforded_without_end_if_the_input_is():
    free = card(
        input_usd=Decimal(1), output_usd=Decimal(0), dear_above=9_999, per_request=Decimal(0)
    )
    assert free.affords(1_000, 1_000_000) > 10**9
    assert free.affords(1_000, 999_999) == -1
