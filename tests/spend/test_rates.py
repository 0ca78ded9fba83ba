"""Exactness, rounding, tiers, and usage that contradicts itself."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.spend.estimate import estimate_tokens
from trimtab.spend.rates import RATED, UNITS, CardPrices, RateCard, TieredPrice, Unit, compile_card
from trimtab.types.usage import NO_USAGE, Usage


def card(*, per_thousand_requests: str = "0", **usd_per_mtok: str) -> RateCard:
    units: dict[Unit, TieredPrice] = {
        unit: TieredPrice(Decimal(usd_per_mtok[unit])) for unit in UNITS if unit in usd_per_mtok
    }
    return compile_card(CardPrices(units, Decimal(per_thousand_requests)), "test/1")


AUDIO = card(
    input="4",
    cache_read="1",
    cache_write="5",
    input_audio="32",
    cache_read_audio="0.4",
    output="16",
    reasoning="17",
    output_audio="64",
)


@pytest.mark.parametrize(
    ("price", "tokens", "nanousd"),
    [
        ("0.0005", 1, 1),  # half a nano-dollar goes up
        ("0.000499999", 1, 0),
        ("0.0005", 3, 2),  # summed before it is rounded
        ("0.0001", 5, 1),
        ("0.099999999999999998", 1_000_000, 100_000_000),
        ("0.000000000000000001", 1, 0),
        ("1E+3", 1, 1_000_000),
        ("0", 1_000, 0),
    ],
)
def test_rounds_once_and_half_up(price: str, tokens: int, nanousd: int) -> None:
    assert card(input=price).cost_nanousd(Usage(input_tokens=tokens)) == nanousd


def test_hold_rounds_up() -> None:
    assert card(input="0.0001").hold_nanousd(1, 0) == 1


def test_price_per_request_counts_once() -> None:
    searching = card(input="1", per_thousand_requests="5")
    assert searching.cost_nanousd(NO_USAGE) == 5_000_000
    assert searching.cost_nanousd(Usage(input_tokens=1)) == 5_001_000
    assert searching.hold_nanousd(0, 0) == 5_000_000


def test_output_may_be_without_a_price() -> None:
    assert card(input="0.02").cost_nanousd(Usage(input_tokens=100, output_tokens=5)) == 2_000


def test_units_with_tiers_of_their_own() -> None:
    tiered = compile_card(
        CardPrices(
            {
                "input": TieredPrice(Decimal(1), ((100, Decimal(2)), (200, Decimal(3)))),
                "output": TieredPrice(Decimal(10), ((150, Decimal(20)),)),
            }
        ),
        "test/1",
    )

    def cost(tokens: int) -> int:
        return tiered.cost_nanousd(Usage(input_tokens=tokens, output_tokens=1)) // 1_000

    assert tiered.starts == (100, 150, 200)
    assert [cost(tokens) for tokens in (0, 100, 101, 150, 151, 200, 201)] == [
        10,
        110,
        212,
        310,
        322,
        420,
        623,
    ]


def test_more_cached_than_input_costs_cached_input() -> None:
    assert AUDIO.cost_nanousd(Usage(input_tokens=10, cache_read_tokens=50)) == 10 * 1_000


def test_cache_read_is_believed_before_write_and_write_before_audio() -> None:
    usage = Usage(input_tokens=10, cache_read_tokens=6, cache_write_tokens=6, input_audio_tokens=8)
    # 6 read, 4 written; of audio 6 fit beside the written ones, and those were read.
    assert AUDIO.cost_nanousd(usage) == 6 * 400 + 4 * 5_000


def test_unreported_cached_audio_is_assumed_where_it_must_be() -> None:
    usage = Usage(input_tokens=10, cache_read_tokens=8, input_audio_tokens=10)
    assert AUDIO.cost_nanousd(usage) == 8 * 400 + 2 * 32_000


def test_reasoning_is_believed_before_audio() -> None:
    usage = Usage(output_tokens=10, reasoning_tokens=8, output_audio_tokens=8)
    assert AUDIO.cost_nanousd(usage) == 8 * 17_000 + 2 * 64_000


def test_negative_counts_are_zero() -> None:
    assert AUDIO.cost_nanousd(Usage(-1, -1, -1, -1, -1, -1, -1, -1)) == 0
    assert AUDIO.cost_nanousd(Usage(input_tokens=5, cache_read_tokens=-5)) == 5 * 4_000


count = st.integers(-100, 1_000)


@given(st.builds(Usage, *[count] * 8))
def test_any_usage_has_a_cost_between_the_cheapest_and_the_dearest(usage: Usage) -> None:
    tokens_in, tokens_out = max(0, usage.input_tokens), max(0, usage.output_tokens)
    cost = AUDIO.cost_nanousd(usage)
    assert 400 * tokens_in + 16_000 * tokens_out <= cost <= 32_000 * tokens_in + 64_000 * tokens_out


tokens = st.integers(0, 10_000_000)


@given(st.builds(Usage, tokens, tokens, tokens, output_tokens=tokens, reasoning_tokens=tokens))
def test_hold_covers_text_of_that_size(usage: Usage) -> None:
    hold = AUDIO.hold_nanousd(usage.input_tokens, usage.output_tokens)
    assert AUDIO.cost_nanousd(usage) <= hold


@pytest.mark.parametrize(("size", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2), (1_100, 275)])
def test_estimate(size: int, tokens: int) -> None:
    assert estimate_tokens(size) == tokens


def test_the_rates_of_a_card_are_in_the_order_of_usage() -> None:
    """The hot path multiplies them with the fields of a usage, place by place."""
    assert set(RATED) == set(UNITS)
    for place, unit in enumerate(RATED):
        prices: dict[Unit, TieredPrice] = {"input": TieredPrice(Decimal(1))}
        prices[unit] = TieredPrice(Decimal(5))
        found = compile_card(CardPrices(prices), "v").rows[0].rates
        assert max(found) == found[place]
        assert found.count(found[place]) == 1
