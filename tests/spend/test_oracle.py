"""Our integers against genai-prices itself, for every model of seven vendors."""

import itertools
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from genai_prices import Usage as ListUsage
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from spend.books import NOW_NS
from trimtab.spend.listprices import LIST_VERSION, ListedModel
from trimtab.spend.rates import RateCard, compile_card
from trimtab.types.usage import Usage

VENDORS = ("openai", "anthropic", "google", "deepseek", "x-ai", "groq", "mistral")
TIERS = ("", "default", "priority", "flex", "fast", "batch")
NOON_S = NOW_NS // 1_000_000_000
MOMENTS_S = (NOON_S, NOON_S + 8 * 3_600, NOON_S - 200 * 86_400, NOON_S - 700 * 86_400)


Key = tuple[str, str, str, int]
MODELS = {
    (vendor.id, model.id): (vendor, model)
    for vendor in get_snapshot().providers
    if vendor.id in VENDORS
    for model in vendor.models
}


def _cards() -> dict[Key, RateCard]:
    """A card per vendor, model, tier and moment; each distinct price of a model only once."""
    cards: dict[Key, RateCard] = {}
    for names, (vendor, model) in MODELS.items():
        listed = ListedModel(vendor, model)
        seen: set[RateCard] = set()
        for tier, at_s in itertools.product(TIERS, MOMENTS_S):
            prices = listed.prices(at_s, tier)
            card = compile_card(prices, LIST_VERSION) if prices else None
            if card is not None and card not in seen:
                seen.add(card)
                cards[*names, tier, at_s] = card
    return cards


CARDS = _cards()


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Usage that does not contradict itself, of any size up to 2 million tokens."""

    def up_to(most: int) -> int:
        return draw(st.integers(0, most))

    size = draw(st.sampled_from([10, 5_000, 300_000, 2_000_000]))
    plain, read, audio, read_audio, write = (up_to(size) for _ in range(5))
    text_out, reasoning, audio_out = (up_to(size) for _ in range(3))
    write_1h = up_to(size)
    return Usage(
        input_tokens=plain + read + audio + read_audio + write + write_1h,
        cache_read_tokens=read + read_audio,
        cache_write_tokens=write + write_1h,
        cache_write_1h_tokens=write_1h,
        input_audio_tokens=audio + read_audio,
        cache_read_audio_tokens=read_audio,
        output_tokens=text_out + reasoning + audio_out,
        reasoning_tokens=reasoning,
        output_audio_tokens=audio_out,
    )


def _oracle(key: Key, usage: Usage) -> int:
    *names, tier, at_s = key
    vendor, model = MODELS[names[0], names[1]]
    price = model.calc_price(
        ListUsage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            input_audio_tokens=usage.input_audio_tokens,
            cache_audio_read_tokens=usage.cache_read_audio_tokens,
            output_tokens=usage.output_tokens,
            output_reasoning_tokens=usage.reasoning_tokens,
            output_audio_tokens=usage.output_audio_tokens,
        ),
        vendor,
        genai_request_timestamp=datetime.fromtimestamp(at_s, tz=UTC),
        price_context=dict.fromkeys(("service_tier", "processing", "speed"), tier)
        if tier
        else None,
    )
    nano = price.total_price * 1_000_000_000
    return int(nano.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@settings(max_examples=25, deadline=None)
@given(usages())
def test_every_card_equals_genai_prices(usage: Usage) -> None:
    for key, card in CARDS.items():
        assert card.cost_nanousd(usage) == _oracle(key, usage), key


@settings(max_examples=400, deadline=None)
@given(usages(), st.sampled_from(sorted(CARDS)))
def test_any_card_equals_genai_prices(usage: Usage, key: Key) -> None:
    assert CARDS[key].cost_nanousd(usage) == _oracle(key, usage)


def test_every_model_that_prices_tokens_is_covered() -> None:
    covered = {key[:2] for key in CARDS}
    for names, (_, model) in MODELS.items():
        now = model.get_prices(datetime.fromtimestamp(NOON_S, tz=UTC))
        prices_tokens = now.input_mtok is not None or now.output_mtok is not None
        assert not prices_tokens or names in covered, names
