"""(model at a provider, moment, service tier) -> `RateCard`. One price book per snapshot."""

import hashlib
from decimal import Decimal
from typing import NamedTuple

import msgspec

from trimtab.config.schema import Model, Price, Project, Provider, Rung
from trimtab.errors import Finding, UnpricedModel
from trimtab.spend.listprices import LIST_VERSION, ListedModel, find_listed, find_served
from trimtab.spend.rates import CardPrices, RateCard, TieredPrice, Unit, compile_card
from trimtab.types.refs import ModelRef

__all__ = ["PriceBook"]

_NS_PER_MINUTE = 60_000_000_000
_DIGEST_CHARS = 8

_Place = tuple[str, ModelRef]
"""Alias, and the provider and model that it stands for."""


class _Cached(NamedTuple):
    minute: int
    card: RateCard | None


class PriceBook:
    """The prices of a project's models: declared ones, else those of genai-prices.

    Building it looks every model up once; a card is compiled when first asked for and kept for
    the minute, since list prices change at dates and at times of day.
    """

    def __init__(self, project: Project) -> None:
        self._file = project.file
        self._declared: dict[str, RateCard] = {}
        self._listed: dict[_Place, ListedModel | None] = {}
        self._cache: dict[tuple[_Place, str], _Cached] = {}
        for alias, model in project.models.items():
            if model.price is not None:
                self._declared[alias] = _declared_card(model.price)
                continue
            for ref in map(ModelRef.parse, (model.ref, *model.also)):
                found = _find(model, ref, project.providers[ref.provider])
                self._listed[alias, ref] = found

    def card(self, rung: Rung, at_ns: int, service_tier: str = "") -> RateCard:
        """The rates of a model at a provider at a moment.

        Args:
            rung: which one.
            at_ns: UTC nanoseconds; the start of the inference.
            service_tier: as the request asks for it or the provider reports it: "priority",
                "flex", "batch" and so on. One that does not change the price is the standard one.

        Raises:
            UnpricedModel: neither the project nor the price book has a price for it.
        """
        declared = self._declared.get(rung.alias)
        if declared is not None:
            return declared
        card = self._listed_card((rung.alias, rung.ref), at_ns // _NS_PER_MINUTE, service_tier)
        if card is None:
            raise UnpricedModel(_no_price(rung.alias, str(rung.ref)), param="model")
        return card

    def context_tokens(self, rung: Rung) -> int | None:
        """The context window of a model, as the project or the price book tells it."""
        listed = self._listed.get((rung.alias, rung.ref))
        return rung.context_tokens or (listed.context_tokens if listed is not None else None)

    def unpriced(self, at_ns: int) -> list[Finding]:
        """One finding for each model of the project without a price at `at_ns` (UTC)."""
        minute = at_ns // _NS_PER_MINUTE
        return [
            Finding(
                f"{self._file} (models.{alias})",
                f"{ref} has no price, so calls of it are refused",
                _remedy(alias),
            )
            for alias, ref in self._listed
            if self._listed_card((alias, ref), minute, "") is None
        ]

    def _listed_card(self, place: _Place, minute: int, service_tier: str) -> RateCard | None:
        listed = self._listed[place]
        if listed is None:
            return None
        # Only tiers that matter are cached: the word may be anything that a caller sent.
        tier = service_tier if service_tier in listed.tiers else ""
        cached = self._cache.get((place, tier))
        if cached is None or cached.minute != minute:
            prices = listed.prices(minute * 60, tier)
            card = compile_card(prices, LIST_VERSION) if prices is not None else None
            cached = self._cache[place, tier] = _Cached(minute, card)
        return cached.card


def _find(model: Model, ref: ModelRef, provider: Provider) -> ListedModel | None:
    if not model.price_as:
        return find_served(provider, ref.model)
    like = ModelRef.parse(model.price_as)
    return find_listed(like.provider, like.model)


def _declared_card(price: Price) -> RateCard:
    written: dict[Unit, Decimal | None] = {
        "input": price.input_usd_per_mtok,
        "cache_read": price.cache_read_usd_per_mtok,
        "cache_write": price.cache_write_usd_per_mtok,
        "output": price.output_usd_per_mtok,
        "reasoning": price.reasoning_usd_per_mtok,
    }
    units: dict[Unit, TieredPrice] = {
        unit: TieredPrice(amount) for unit, amount in written.items() if amount is not None
    }
    digest = hashlib.sha256(msgspec.json.encode(price, order="sorted")).hexdigest()
    return compile_card(CardPrices(units), f"project/{digest[:_DIGEST_CHARS]}")


def _no_price(alias: str, ref: str) -> str:
    problem = f"{ref} (model {alias!r}) has no price, so its cost could not be told"
    return f"{problem}. {_remedy(alias)}."


def _remedy(alias: str) -> str:
    return (
        f'Declare it as [models."{alias}".price], or set price_as to a model that genai-prices '
        "knows; a newer genai-prices may know this one"
    )
