"""Where a price comes from, and when there is none."""

from pathlib import Path

import pytest

from spend.books import NOW_NS, book, card
from trimtab.config.load import load_project
from trimtab.errors import UnpricedModel
from trimtab.types.usage import Usage

HOUR_NS = 3_600_000_000_000
MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
DECLARED = "price = {input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}"


def test_kind_without_address_goes_to_its_vendor(tmp_path: Path) -> None:
    found = card(tmp_path, 'ref = "openai:gpt-4.1-mini-2025-04-14"')
    assert found.version.startswith("genai-prices/")
    assert found.cost_nanousd(MILLION) == 2_000_000_000


def test_vendor_is_told_by_its_address(tmp_path: Path) -> None:
    listed = card(tmp_path, 'ref = "groq:llama-3.3-70b-versatile"')
    assert listed.cost_nanousd(MILLION) == 1_380_000_000


@pytest.mark.parametrize(
    "ref",
    [
        "unknown:gpt-4.1-mini",  # the name alone says nothing about somebody else's server
        "local:gpt-4.1-mini",
        "openai:no-such-model",
        "openai:omni-moderation-latest",  # listed without any price
        "openai:whisper-1",  # priced by the hour, which token counts cannot tell
    ],
)
def test_unpriced_is_refused_with_two_ways_out(tmp_path: Path, ref: str) -> None:
    with pytest.raises(UnpricedModel) as caught:
        card(tmp_path, f'ref = "{ref}"')
    message = str(caught.value)
    assert ref in message
    assert '[models."m".price]' in message
    assert "price_as" in message
    assert "newer genai-prices" in message
    assert caught.value.param == "model"


def test_unpriced_models_are_found_before_a_call(tmp_path: Path) -> None:
    prices = book(
        tmp_path,
        '[models.a]\nref = "unknown:x"\n[models.b]\nref = "openai:gpt-4.1"\n'
        f'[models.c]\nref = "unknown:x"\n{DECLARED}\n'
        '[models.d]\nref = "unknown:x"\nprice_as = "openai:nothing"\n'
        '[models.e]\nref = "unknown:x"\nprice_as = "nobody:gpt-4.1"\n',
    )
    found = prices.unpriced(NOW_NS)
    assert [finding.place.split()[-1] for finding in found] == [
        "(models.a)",
        "(models.d)",
        "(models.e)",
    ]
    assert "unknown:x has no price" in found[0].problem


def test_price_as(tmp_path: Path) -> None:
    found = card(tmp_path, 'ref = "unknown:x"\nprice_as = "openai:gpt-4.1-mini"')
    assert found.version.startswith("genai-prices/")
    assert found.cost_nanousd(MILLION) == 2_000_000_000


def test_declared_price_wins_over_the_list(tmp_path: Path) -> None:
    found = card(
        tmp_path,
        'ref = "openai:gpt-4.1"\n[models.m.price]\n'
        "input_usd_per_mtok = 3\noutput_usd_per_mtok = 5\n"
        "cache_read_usd_per_mtok = 1\ncache_write_usd_per_mtok = 4\nreasoning_usd_per_mtok = 7",
    )
    usage = Usage(
        input_tokens=1_000,
        cache_read_tokens=200,
        cache_write_tokens=100,
        output_tokens=100,
        reasoning_tokens=10,
    )
    micro = 700 * 3 + 200 * 1 + 100 * 4 + 90 * 5 + 10 * 7
    assert found.cost_nanousd(usage) == micro * 1_000
    assert found.hold_nanousd(1_000, 100) == (1_000 * 4 + 100 * 7) * 1_000


def test_declared_parts_default_to_their_whole(tmp_path: Path) -> None:
    found = card(tmp_path, f'ref = "unknown:x"\n{DECLARED}')
    cached = Usage(
        input_tokens=10,
        cache_read_tokens=5,
        cache_write_tokens=5,
        output_tokens=9,
        reasoning_tokens=9,
    )
    assert found.cost_nanousd(cached) == 10 * 400 + 9 * 1_600


def test_declared_version_names_the_price(tmp_path: Path) -> None:
    one = card(tmp_path, f'ref = "unknown:x"\n{DECLARED}').version
    same = card(tmp_path, f'ref = "unknown:y"\n{DECLARED}').version
    other = card(tmp_path, f'ref = "unknown:x"\n{DECLARED.replace("1.6", "1.7")}').version
    assert one == same != other
    assert one.startswith("project/")
    assert len(one) == len("project/") + 8


def test_a_declared_zero_is_a_price(tmp_path: Path) -> None:
    free = card(
        tmp_path, 'ref = "local:x"\nprice = {input_usd_per_mtok = 0, output_usd_per_mtok = 0.0}'
    )
    assert free.cost_nanousd(MILLION) == 0
    assert free.hold_nanousd(1_000, 1_000) == 0


@pytest.mark.parametrize(
    ("tier", "nanousd"),
    [
        ("", 15_750_000_000),
        ("default", 15_750_000_000),
        ("flex", 7_875_000_000),
        ("priority", 31_500_000_000),
        ("batch", 7_875_000_000),
        ("made up by a caller", 15_750_000_000),
    ],
)
def test_service_tier(tmp_path: Path, tier: str, nanousd: int) -> None:
    found = card(tmp_path, 'ref = "openai:gpt-5.2"', tier=tier)
    assert found.cost_nanousd(MILLION) == nanousd


def test_words_of_callers_do_not_fill_the_cache(tmp_path: Path) -> None:
    prices = book(tmp_path, '[models.m]\nref = "openai:gpt-4.1-mini"\n')
    target = load_project(tmp_path, {}).resolve("m").rungs[0]
    cards = {id(prices.card(target, NOW_NS, f"tier {n}")) for n in range(100)}
    assert len(cards) == 1


def test_card_is_kept_for_the_minute(tmp_path: Path) -> None:
    prices = book(tmp_path, '[models.m]\nref = "openai:gpt-4.1-mini"\n')
    target = load_project(tmp_path, {}).resolve("m").rungs[0]
    first = prices.card(target, NOW_NS)
    assert prices.card(target, NOW_NS + 59_999_999_999) is first
    later = prices.card(target, NOW_NS + 60_000_000_000)
    assert later is not first
    assert later == first


def test_price_has_a_time_of_day(tmp_path: Path) -> None:
    ref = 'ref = "unknown:x"\nprice_as = "deepseek:deepseek-v4-pro"'
    cheap = card(tmp_path, ref, at_ns=NOW_NS).cost_nanousd(MILLION)
    rush = card(tmp_path, ref, at_ns=NOW_NS + 6 * HOUR_NS).cost_nanousd(MILLION)  # 02:00 UTC
    assert (cheap, rush) == (2_640_000_000, 5_280_000_000)


def test_price_has_a_date(tmp_path: Path) -> None:
    ref = 'ref = "openai:gpt-4.1-mini"'
    before = 1_788_220_800_000_000_000  # 2026-09-01: there was no priority price yet
    assert card(tmp_path, ref, at_ns=before, tier="priority").cost_nanousd(MILLION) == 2_000_000_000
    assert card(tmp_path, ref, tier="priority").cost_nanousd(MILLION) == 3_500_000_000


def test_tier_of_total_input_is_a_cliff(tmp_path: Path) -> None:
    found = card(tmp_path, 'ref = "openai:gpt-5.4"')
    below = found.cost_nanousd(Usage(input_tokens=272_000, output_tokens=1))
    above = found.cost_nanousd(Usage(input_tokens=272_001, output_tokens=1))
    assert below == 272_000 * 2_500 + 15_000
    assert above == 272_001 * 5_000 + 22_500
    assert found.hold_nanousd(272_000, 1) == below
    assert found.hold_nanousd(272_001, 1) == above


@pytest.mark.parametrize(("tier", "nanousd"), [("standard", 8_000), ("fast", 16_000)])
def test_t10_the_faster_mode_has_its_price(tmp_path: Path, tier: str, nanousd: int) -> None:
    ref = 'ref = "unknown:x"\nprice_as = "anthropic:claude-fable-5-2"'
    assert card(tmp_path, ref, tier=tier).cost_nanousd(Usage(input_tokens=1)) == nanousd
