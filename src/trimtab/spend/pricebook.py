"""(model at a provider, moment, service tier) -> `RateCard`. One price book per snapshot."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from trimtab.config.schema import Model, Project, Provider, Rung
from trimtab.errors import Finding, UnpricedModel
from trimtab.spend.declared import DeclaredPrice, declared_prices, in_force
from trimtab.spend.rates import CardPrices, RateCard, compile_card
from trimtab.types.refs import ModelRef

if TYPE_CHECKING:
    from trimtab.spend.listprices import ListedModel

__all__ = ["PriceBook", "Quote", "quote_listed"]

_NS_PER_MINUTE = 60_000_000_000

_NO_CALLS_TIER = frozenset(("", "batch", "default"))
_EARLIER = "Add the price of that time with its own day in since"

_Place = tuple[str, ModelRef]
"""Alias, and the provider and model that it stands for."""


class _Cached(NamedTuple):
    minute: int
    card: RateCard | None


class Quote(NamedTuple):
    """The prices of a model at a moment, to be shown.

    Attributes:
        version: the price book that they come from, as it goes into the ledger.
        since, until: the UTC days between which they hold, the end excluded; None where unknown.
        by_tier: by service tier; "" for all that are not named.
        changes_by_day: at some times of the day they are others.
    """

    version: str
    since: date | None
    until: date | None
    by_tier: dict[str, CardPrices]
    changes_by_day: bool = False


class PriceBook:
    """The prices of a project's models: declared ones, else those of genai-prices.

    Building it looks every model up once; a card is compiled when first asked for and kept for
    the minute, since list prices change at dates and at times of day.
    """

    def __init__(self, project: Project) -> None:
        self._file = project.file
        self._declared: dict[str, tuple[DeclaredPrice, ...]] = {}
        self._fixed: dict[str, RateCard] = {}  # of those whose price depends on nothing
        self._listed: dict[_Place, ListedModel | None] = {}
        self._cache: dict[tuple[_Place, str], _Cached] = {}
        for alias, model in project.models.items():
            declared = declared_prices(model)
            if declared:
                self._declared[alias] = declared
                if len(declared) == len(declared[0].cards) == 1 and not declared[0].since_ns:
                    self._fixed[alias] = declared[0].cards[""]
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
        fixed = self._fixed.get(rung.alias)
        if fixed is not None:
            return fixed
        declared = self._declared.get(rung.alias)
        if declared is not None:
            entry = in_force(declared, at_ns)
            if entry is None:
                raise UnpricedModel(_too_early(rung.alias, declared, at_ns), param="model")
            return entry.cards.get(service_tier) or entry.cards[""]
        card = self._listed_card((rung.alias, rung.ref), at_ns // _NS_PER_MINUTE, service_tier)
        if card is None:
            raise UnpricedModel(_no_price(rung.alias, str(rung.ref)), param="model")
        return card

    def depends_on_tier(self, rung: Rung, at_ns: int) -> bool:
        """Whether a model costs something else at another service tier that a call may be told.

        Batches are not calls: their tier is not one.
        """
        declared = self._declared.get(rung.alias)
        if declared is not None:
            entry = in_force(declared, at_ns)
            return entry is not None and bool(entry.prices.keys() - _NO_CALLS_TIER)
        listed = self._listed[rung.alias, rung.ref]
        return listed is not None and bool(listed.tiers - _NO_CALLS_TIER)

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
        ] + [
            Finding(
                f"{self._file} (models.{alias}.prices)",
                f"{alias} has no price before {declared[0].since}, so calls of it are refused",
                _EARLIER,
            )
            for alias, declared in self._declared.items()
            if in_force(declared, at_ns) is None
        ]

    def quote(self, rung: Rung, at_ns: int) -> Quote | None:
        """All prices of a model at a provider at a moment; None if it has none.

        Args:
            rung: which one.
            at_ns: UTC nanoseconds.
        """
        declared = self._declared.get(rung.alias, ())
        entry = in_force(declared, at_ns)
        if entry is None:
            return quote_listed(self._listed.get((rung.alias, rung.ref)), at_ns)
        later = declared[declared.index(entry) + 1 :]
        return Quote(
            version=entry.cards[""].version,
            since=entry.since,
            until=later[0].since if later else None,
            by_tier=entry.prices,
        )

    def _listed_card(self, place: _Place, minute: int, service_tier: str) -> RateCard | None:
        listed = self._listed[place]
        if listed is None:
            return None
        # Only tiers that matter are cached: the word may be anything that a caller sent.
        tier = service_tier if service_tier in listed.tiers else ""
        cached = self._cache.get((place, tier))
        if cached is None or cached.minute != minute:
            prices = listed.prices(minute * 60, tier)
            card = compile_card(prices, listed.version) if prices is not None else None
            cached = self._cache[place, tier] = _Cached(minute, card)
        return cached.card


def _find(model: Model, ref: ModelRef, provider: Provider) -> "ListedModel | None":
    from trimtab.spend.listprices import (  # noqa: PLC0415 - 140 ms and 16 MB that few need
        find_listed,
        find_served,
    )

    if not model.price_as:
        return find_served(provider, ref.model)
    like = ModelRef.parse(model.price_as)
    return find_listed(like.provider, like.model)


def quote_listed(listed: "ListedModel | None", at_ns: int) -> Quote | None:
    """All prices of genai-prices for a model at a moment (UTC); None if it has none."""
    if listed is None:
        return None
    at_s = at_ns // _NS_PER_MINUTE * 60
    base = listed.prices(at_s, "")
    if base is None:
        return None
    by_tier = {"": base}
    for tier in sorted(listed.tiers):
        prices = listed.prices(at_s, tier)
        if prices is not None and prices != base:
            by_tier[tier] = prices
    since, until = listed.span(at_s)
    return Quote(
        version=listed.version,
        since=since,
        until=until,
        by_tier=by_tier,
        changes_by_day=listed.changes_by_day,
    )


def _too_early(alias: str, declared: tuple[DeclaredPrice, ...], at_ns: int) -> str:
    day = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).date()
    return (
        f"Model {alias!r} has no price on {day}: its first is of {declared[0].since}. {_EARLIER}."
    )


def _no_price(alias: str, ref: str) -> str:
    problem = f"{ref} (model {alias!r}) has no price, so its cost could not be told"
    return f"{problem}. {_remedy(alias)}."


def _remedy(alias: str) -> str:
    return (
        f'Declare it as [models."{alias}".price], or set price_as to a model that genai-prices '
        "knows; a newer genai-prices may know this one"
    )
