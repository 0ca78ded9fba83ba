"""Prices of a project from a day on, at a service tier, with more input."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from spend.books import NOW_NS, book, card
from trimtab.config.load import load_project
from trimtab.config.price import DatedPrice, InputTier, Price
from trimtab.config.schema import Model
from trimtab.errors import UnpricedModel
from trimtab.spend.declared import declared_prices
from trimtab.types.usage import Usage

DATED = """\
ref = "unknown:x"
[[models.m.prices]]
since = 2026-11-01
input_usd_per_mtok = 2
output_usd_per_mtok = 8
[[models.m.prices]]
since = 2026-10-01
input_usd_per_mtok = 1
output_usd_per_mtok = 4
"""
CORRECTED = (
    DATED
    + """\
[[models.m.prices]]
since = 2026-11-01
input_usd_per_mtok = 3
output_usd_per_mtok = 8
"""
)
ALL_UNITS = """\
ref = "unknown:x"
[models.m.price]
input_usd_per_mtok = 1
output_usd_per_mtok = 10
cache_read_usd_per_mtok = 0.1
cache_write_usd_per_mtok = 1.25
cache_write_1h_usd_per_mtok = 2
reasoning_usd_per_mtok = 12
input_audio_usd_per_mtok = 30
cache_read_audio_usd_per_mtok = 3
output_audio_usd_per_mtok = 60
service_tiers = {flex = 0.5, priority = 1.75}
tiers = [
  {above_input_tokens = 1_000, input_usd_per_mtok = 2, cache_read_usd_per_mtok = 0.2},
  {above_input_tokens = 9_000, output_usd_per_mtok = 20},
]
"""
ONE = Usage(input_tokens=1)


def at(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("moment", "nanousd"),
    [
        ("2026-10-01T00:00:00", 1_000),
        ("2026-10-31T23:59:59.999", 1_000),
        ("2026-11-01T00:00:00", 2_000),
        ("2030-01-01", 2_000),
    ],
)
def test_a_moment_has_the_price_that_was_in_force(
    tmp_path: Path, moment: str, nanousd: int
) -> None:
    assert card(tmp_path, DATED, at_ns=at(moment)).cost_nanousd(ONE) == nanousd


def test_before_the_first_price_a_model_is_refused_and_never_free(tmp_path: Path) -> None:
    with pytest.raises(UnpricedModel, match=r"'m' has no price on 2026-09-30.*of 2026-10-01"):
        card(tmp_path, DATED, at_ns=at("2026-09-30T23:59:59"))
    prices = book(tmp_path, f"[models.m]\n{DATED}")
    (finding,) = prices.unpriced(at("2026-09-30"))
    assert "(models.m.prices)" in finding.place
    assert "no price before 2026-10-01" in finding.problem
    assert prices.unpriced(NOW_NS) == []


def test_a_correction_is_another_entry_of_the_same_day(tmp_path: Path) -> None:
    corrected = card(tmp_path, CORRECTED, at_ns=at("2026-11-02"))
    assert corrected.cost_nanousd(ONE) == 3_000
    assert corrected.version != card(tmp_path, DATED, at_ns=at("2026-11-02")).version
    assert card(tmp_path, CORRECTED, at_ns=at("2026-10-31")).cost_nanousd(ONE) == 1_000


def test_t26_a_version_names_exactly_the_entry(tmp_path: Path) -> None:
    """Another entry beside it changes nothing; another day of the same prices does."""
    october, november = (card(tmp_path, DATED, at_ns=at(d)).version for d in DAYS)
    assert october.startswith("project/")
    assert october != november
    assert card(tmp_path, CORRECTED, at_ns=at(DAYS[0])).version == october
    alone = DATED.split("[[", maxsplit=1)[0] + "[[" + DATED.split("[[")[2]
    assert card(tmp_path, alone, at_ns=at(DAYS[0])).version == october
    moved = alone.replace("2026-10-01", "2026-10-02")
    assert card(tmp_path, moved, at_ns=at(DAYS[0])).version != october


DAYS = ("2026-10-15", "2026-11-15")


def test_every_unit_has_its_price(tmp_path: Path) -> None:
    found = card(tmp_path, ALL_UNITS)
    usage = Usage(
        input_tokens=1_000,
        cache_read_tokens=100,
        cache_write_tokens=50,
        cache_write_1h_tokens=20,
        input_audio_tokens=40,
        cache_read_audio_tokens=10,
        output_tokens=500,
        reasoning_tokens=100,
        output_audio_tokens=50,
    )
    text = 1_000 - 90 - 50 - 40
    milli = (
        text * 1_000
        + 90 * 100
        + 30 * 1_250
        + 20 * 2_000
        + 30 * 30_000
        + 10 * 3_000
        + 350 * 10_000
        + 100 * 12_000
        + 50 * 60_000
    )
    assert found.cost_nanousd(usage) == milli
    assert card(tmp_path, ALL_UNITS, tier="flex").cost_nanousd(usage) * 2 == milli
    assert card(tmp_path, ALL_UNITS, tier="priority").cost_nanousd(usage) * 4 == milli * 7
    assert card(tmp_path, ALL_UNITS, tier="anything").cost_nanousd(usage) == milli


def test_a_tier_of_input_holds_for_all_tokens_above_it(tmp_path: Path) -> None:
    found = card(tmp_path, ALL_UNITS)
    assert found.cost_nanousd(Usage(input_tokens=1_000, output_tokens=1)) == 1_000_000 + 10_000
    assert found.cost_nanousd(Usage(input_tokens=1_001, output_tokens=1)) == 2_002_000 + 10_000
    # What a further tier does not name stays as it was in the one below.
    assert found.cost_nanousd(Usage(input_tokens=9_001, output_tokens=1)) == 18_002_000 + 20_000


def test_the_hold_does_not_assume_a_cache_of_an_hour(tmp_path: Path) -> None:
    """It would double the hold of every request, and few use it; docs/prices.md says so."""
    assert card(tmp_path, ALL_UNITS).hold_nanousd(1_000, 0) == 1_250_000


def test_a_model_may_have_several_entries_out_of_order() -> None:
    def price(day: int, amount: int) -> DatedPrice:
        return DatedPrice(
            since=date(2026, 1, day),
            input_usd_per_mtok=Decimal(amount),
            output_usd_per_mtok=Decimal(amount),
        )

    model = Model(ref="a:b", prices=(price(3, 1), price(1, 2), price(3, 4), price(2, 5)))
    declared = declared_prices(model)
    assert [entry.since.day for entry in declared if entry.since] == [1, 2, 3]
    assert [entry.prices[""].units["input"].base for entry in declared] == [2, 5, 4]
    assert declared_prices(Model(ref="a:b")) == ()


def test_the_tables_are_read_as_they_are_written(tmp_path: Path) -> None:
    book(tmp_path, f"[models.m]\n{ALL_UNITS}[models.d]\n{DATED.replace('.m.', '.d.')}")
    project = load_project(tmp_path, {}, kinds=("openai", "local"))
    price = project.models["m"].price
    assert isinstance(price, Price)
    assert [tier.above_input_tokens for tier in price.tiers] == [1_000, 9_000]
    assert isinstance(price.tiers[0], InputTier)
    assert [entry.since for entry in project.models["d"].prices] == [
        date(2026, 11, 1),
        date(2026, 10, 1),
    ]
