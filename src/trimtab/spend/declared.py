"""The prices that a project declares: which of them holds at a moment."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import msgspec

from trimtab.config.price import InputTier, Price
from trimtab.config.schema import Model
from trimtab.spend.rates import CardPrices, RateCard, TieredPrice, Unit, compile_card
from trimtab.types.clock import NS_PER_S

__all__ = ["DeclaredPrice", "declared_prices", "in_force"]

_DIGEST_CHARS = 8
_KEYS: dict[Unit, str] = {
    "input": "input_usd_per_mtok",
    "cache_read": "cache_read_usd_per_mtok",
    "cache_write": "cache_write_usd_per_mtok",
    "cache_write_1h": "cache_write_1h_usd_per_mtok",
    "output": "output_usd_per_mtok",
    "reasoning": "reasoning_usd_per_mtok",
    "input_audio": "input_audio_usd_per_mtok",
    "cache_read_audio": "cache_read_audio_usd_per_mtok",
    "output_audio": "output_audio_usd_per_mtok",
}


_NOT_GIVEN: tuple[object, ...] = (None, (), {})


class DeclaredPrice(NamedTuple):
    """One entry of a project, ready to be charged by.

    Attributes:
        since: its first UTC day; None where it has always held.
        since_ns: the start of that day in UTC nanoseconds, or 0.
        prices, cards: by service tier; "" for all that are not named.
    """

    since: date | None
    since_ns: int
    prices: dict[str, CardPrices]
    cards: dict[str, RateCard]


def declared_prices(model: Model) -> tuple[DeclaredPrice, ...]:
    """The prices that a model declares, by the day from which they hold.

    Of several with the same day the last one written corrects those before it.
    """
    if model.price is not None:
        return (_declared(model.price, None),)
    by_day = groupby(sorted(model.prices, key=attrgetter("since")), attrgetter("since"))
    return tuple(_declared(list(same_day)[-1], day) for day, same_day in by_day)


def in_force(declared: Sequence[DeclaredPrice], at_ns: int) -> DeclaredPrice | None:
    """The one that holds at `at_ns` (UTC), or None before the first of them."""
    for entry in reversed(declared):
        if entry.since_ns <= at_ns:
            return entry
    return None


def _declared(price: Price, since: date | None) -> DeclaredPrice:
    prices = {"": _prices(price, Decimal(1))}
    prices |= {tier: _prices(price, share) for tier, share in price.service_tiers.items()}
    version = f"project/{_digest(price)}"
    cards = {tier: compile_card(units, version) for tier, units in prices.items()}
    midnight = datetime.combine(since, time(), UTC) if since is not None else None
    since_ns = int(midnight.timestamp()) * NS_PER_S if midnight is not None else 0
    return DeclaredPrice(since, since_ns, prices, cards)


def _prices(price: Price, share: Decimal) -> CardPrices:
    units: dict[Unit, TieredPrice] = {}
    for unit, key in _KEYS.items():
        base: Decimal | None = getattr(price, key)
        if base is not None:
            tiers = _tiers(price.tiers, key)
            scaled = tuple((start, amount * share) for start, amount in tiers)
            units[unit] = TieredPrice(base * share, scaled)
    return CardPrices(units)


def _tiers(tiers: Sequence[InputTier], key: str) -> list[tuple[int, Decimal]]:
    amounts = [(tier.above_input_tokens, getattr(tier, key)) for tier in tiers]
    return [(start, amount) for start, amount in amounts if amount is not None]


def _digest(price: Price) -> str:
    """Of what is written in the entry, so that a key to come does not change it."""
    written = {name: getattr(price, name) for name in price.__struct_fields__}
    given = {name: value for name, value in written.items() if value not in _NOT_GIVEN}
    return hashlib.sha256(msgspec.json.encode(given, order="sorted")).hexdigest()[:_DIGEST_CHARS]
