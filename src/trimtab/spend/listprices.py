"""The price book that ships: genai-prices, read into our own prices.

The only module that imports genai-prices (140 ms, 16 MB). Import it where a price is looked up.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Final

from genai_prices import data_snapshot, types

from trimtab.config.schema import Provider
from trimtab.spend.rates import CardPrices, TieredPrice, Unit

__all__ = ["LIST_VERSION", "ListedModel", "find_listed", "find_served"]

LIST_VERSION: Final = f"genai-prices/{version('genai-prices')}"

_PRICE_KEYS: dict[Unit, str] = {
    "input": "input_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "input_audio": "input_audio_mtok",
    "cache_read_audio": "cache_audio_read_mtok",
    "output": "output_mtok",
    "reasoning": "output_reasoning_mtok",
    "output_audio": "output_audio_mtok",
}
# genai-prices files "batch" under processing and Anthropic's faster mode under speed; no model has
# one word under two of them, so that one word says it all.
_CONDITIONS = ("service_tier", "processing", "speed")


class ListedModel:
    """One model of genai-prices.

    Attributes:
        tiers: the service tiers that change its price.
        context_tokens: its context window, or None where it is not known.
        version: the price book, as it goes into the ledger.
    """

    version: Final = LIST_VERSION

    def __init__(self, provider: types.Provider, model: types.ModelInfo) -> None:
        self._model = model
        # As genai-prices does it: variants hold at the model's own provider only.
        own = any(model is candidate for candidate in provider.models)
        self.tiers = _tiers(model) if own else frozenset[str]()
        self.context_tokens = model.context_window

    def prices(self, at_s: int, service_tier: str) -> CardPrices | None:
        """The prices at the UTC second `at_s`; None if it does not price tokens.

        An entry without any price stands for a subscription or a free preview, and one that only
        prices hours or pages cannot be charged from token counts: both count as not priced.
        """
        moment = datetime.fromtimestamp(at_s, tz=UTC)
        found = self._model.get_prices(moment, _context(service_tier, self.tiers))
        units: dict[Unit, TieredPrice] = {}
        for unit, key in _PRICE_KEYS.items():
            price = _read_price(getattr(found, key))
            if price is not None:
                units[unit] = price
        if "input" not in units and "output" not in units:
            return None
        per_requests = _read_price(found.requests_kcount)
        return CardPrices(units, per_requests.base if per_requests else Decimal(0))

    def span(self, at_s: int) -> tuple[date | None, date | None]:
        """The days from and until which the list knows the prices at `at_s` to hold, UTC.

        None where it knows of no change. At some times of a day they may be others all the same.
        """
        today = datetime.fromtimestamp(at_s, tz=UTC).date()
        changes = _changes(self._model)
        since = max((day for day in changes if day <= today), default=None)
        until = min((day for day in changes if day > today), default=None)
        return since, until

    @property
    def changes_by_day(self) -> bool:
        """Whether its prices are others at some times of the day."""
        return any(isinstance(c, types.TimeOfDateConstraint) for c in _constraints(self._model))


def find_listed(provider_id: str, model: str) -> ListedModel | None:
    """The model as genai-prices lists it for the provider whose id is exactly `provider_id`."""
    return _find_model(_providers().get(provider_id), model)


def find_served(provider: Provider, model: str) -> ListedModel | None:
    """The model at a provider of the project, told by the address that is called.

    Without a `base_url` the kind goes to its vendor, so the kind's name is looked up. A model is
    never found by its own name alone: somebody else's server may charge anything for it.
    """
    if not provider.base_url:
        return find_listed(provider.kind, model)
    try:
        vendor = data_snapshot.get_snapshot().find_provider(None, None, provider.base_url)
    except LookupError:
        return None
    return _find_model(vendor, model)


def _find_model(vendor: types.Provider | None, model: str) -> ListedModel | None:
    if vendor is None:
        return None
    found = vendor.find_model(model, all_providers=data_snapshot.get_snapshot().providers)
    return ListedModel(vendor, found) if found else None


def _providers() -> Mapping[str, types.Provider]:
    return {provider.id: provider for provider in data_snapshot.get_snapshot().providers}


def _tiers(model: types.ModelInfo) -> frozenset[str]:
    conditions = [variant.when for variant in model.price_variants or ()]
    named = {when[key] for when in conditions for key in _CONDITIONS if key in when}
    return frozenset(named)


def _constraints(model: types.ModelInfo) -> list[object]:
    dated = model.prices if isinstance(model.prices, list) else []
    return [entry.constraint for entry in (*dated, *(model.price_variants or ()))]


def _changes(model: types.ModelInfo) -> set[date]:
    constraints = _constraints(model)
    return {c.start_date for c in constraints if isinstance(c, types.StartDateConstraint)}


def _context(service_tier: str, known: frozenset[str]) -> dict[str, str] | None:
    if service_tier not in known:
        return None
    return dict.fromkeys(_CONDITIONS, service_tier)


def _read_price(price: object) -> TieredPrice | None:
    if isinstance(price, types.TieredPrices):
        return TieredPrice(price.base, tuple((tier.start, tier.price) for tier in price.tiers))
    return TieredPrice(price) if isinstance(price, Decimal) else None
