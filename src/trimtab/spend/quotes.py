"""What the models of a project cost at a moment, to be shown: the answer of `trimtab spend prices`.

Amounts are text as exact decimals, USD per million tokens, so that no digit is lost on the way.
"""

import difflib
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from trimtab.config.schema import Project, Rung
from trimtab.errors import UnpricedModel, UsageError
from trimtab.spend.listprices import ListedModel, find_listed, find_served
from trimtab.spend.pricebook import PriceBook, Quote, quote_listed
from trimtab.spend.rates import CardPrices, Unit
from trimtab.types.refs import ModelRef

__all__ = ["ModelPrice", "PriceLine", "PriceReport", "price_report"]

_MAX_SHOWN_NAME = 80

Source = Literal["project", "genai-prices", "none"]


class PriceLine(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of a model at one service tier and size of request.

    Attributes:
        service_tier: "" for every tier that has no line of its own.
        above_input_tokens: the total input of a request above which they hold.
        usd_per_mtok: by unit; a unit that is not there costs what its whole costs.
        usd_per_thousand_requests: on top of the tokens.
    """

    service_tier: str = ""
    above_input_tokens: int = 0
    usd_per_mtok: dict[Unit, str]
    usd_per_thousand_requests: str = "0"


class ModelPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What one model at one provider costs.

    Attributes:
        alias: its name in the project; "" for a model that the project does not declare.
        ref: `provider:model`.
        source: where the price comes from; "none" where there is none, so that it is refused.
        version: as it goes into the ledger; "" where there is no price.
        since, until: the UTC days between which it holds, the end excluded, as far as known.
        changes_by_day: at some times of the day it is another one.
        refused: why calls of it are refused, and what to do; "" where it has a price.
    """

    alias: str
    ref: str
    source: Source
    version: str = ""
    since: date | None = None
    until: date | None = None
    changes_by_day: bool = False
    lines: tuple[PriceLine, ...] = ()
    refused: str = ""


class PriceReport(msgspec.Struct, frozen=True, kw_only=True):
    """The prices at `at_ns` (UTC)."""

    at_ns: int
    models: list[ModelPrice]


def price_report(project: Project, at_ns: int, *, model: str = "") -> PriceReport:
    """The prices of every model of a project at every provider of it.

    Args:
        project: as loaded.
        at_ns: UTC nanoseconds.
        model: only this one: an alias, or `provider:model`, which need not be declared if its
            provider is, or is an id of genai-prices.

    Raises:
        UsageError: there is no such model.
    """
    targets = [project.targets[alias] for alias in project.models]
    rungs = [rung for target in targets for rung in target.rungs[: target.equals]]
    if model:
        rungs = [rung for rung in rungs if model in {rung.alias, str(rung.ref)}]
        if not rungs:
            return PriceReport(at_ns=at_ns, models=[_undeclared(project, model, at_ns)])
    book = PriceBook(project)
    return PriceReport(at_ns=at_ns, models=[_declared(book, rung, at_ns) for rung in rungs])


def _declared(book: PriceBook, rung: Rung, at_ns: int) -> ModelPrice:
    try:
        book.card(rung, at_ns)
    except UnpricedModel as error:
        return ModelPrice(alias=rung.alias, ref=str(rung.ref), source="none", refused=str(error))
    quote = book.quote(rung, at_ns)
    assert quote is not None, "it has a card"
    return _model_price(quote, alias=rung.alias, ref=rung.ref)


def _undeclared(project: Project, model: str, at_ns: int) -> ModelPrice:
    ref = ModelRef.parse(model) if ":" in model else None
    listed = None if ref is None else _find(project, ref)
    quote = quote_listed(listed, at_ns)
    if ref is None or quote is None:
        raise UsageError(_unknown(project, model))
    return _model_price(quote, alias="", ref=ref)


def _find(project: Project, ref: ModelRef) -> ListedModel | None:
    provider = project.providers.get(ref.provider)
    if provider is not None:
        return find_served(provider, ref.model)
    return find_listed(ref.provider, ref.model)


def _unknown(project: Project, model: str) -> str:
    known = [*project.models, *(ref for m in project.models.values() for ref in (m.ref, *m.also))]
    near = difflib.get_close_matches(model[:_MAX_SHOWN_NAME], known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return (
        f"No price is known of {model[:_MAX_SHOWN_NAME]!r}.{hint} Give an alias of the project "
        f"({', '.join(project.models) or 'it has none'}), or provider:model as genai-prices "
        "names it, such as openai:gpt-4.1-mini."
    )


def _model_price(quote: Quote, *, alias: str, ref: ModelRef) -> ModelPrice:
    lines = [line for tier, prices in quote.by_tier.items() for line in _lines(tier, prices)]
    return ModelPrice(
        alias=alias,
        ref=str(ref),
        source="project" if quote.version.startswith("project/") else "genai-prices",
        version=quote.version,
        since=quote.since,
        until=quote.until,
        changes_by_day=quote.changes_by_day,
        lines=tuple(lines),
    )


def _lines(service_tier: str, prices: CardPrices) -> list[PriceLine]:
    """One line for each size of request at which a price changes."""
    starts = sorted({start for price in prices.units.values() for start, _ in price.tiers})
    return [
        PriceLine(
            service_tier=service_tier,
            above_input_tokens=start,
            usd_per_mtok={
                unit: _text(price.at(start + 1 if start else 0))
                for unit, price in prices.units.items()
            },
            usd_per_thousand_requests=_text(prices.per_thousand_requests),
        )
        for start in (0, *starts)
    ]


def _text(amount: Decimal) -> str:
    """Without an exponent, and without zeros that say nothing."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
