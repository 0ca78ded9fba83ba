"""Prices of single tokens, for questions about many calls: nano-dollars per token, exact."""

from bisect import bisect_left
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from trimtab.config.schema import Project, Rung
from trimtab.errors import UnpricedModel
from trimtab.spend.pricebook import PriceBook
from trimtab.spend.rates import RATED, RateCard
from trimtab.types.refs import ModelRef

__all__ = ["ModelPrices", "UnitPrices", "unit_prices"]


class UnitPrices(NamedTuple):
    """Nano-dollars for one token: of plain input, of the two kinds of cached input, of output."""

    input: Fraction
    cache_read: Fraction
    cache_write: Fraction
    output: Fraction


def unit_prices(card: RateCard, input_tokens: int) -> UnitPrices:
    """The prices of text in a request of `input_tokens`, which may lie in a tier of its own."""
    rates = dict(zip(RATED, card.rows[bisect_left(card.starts, input_tokens)].rates, strict=True))
    plain = rates["input"]
    return UnitPrices(
        Fraction(plain, card.scale),
        Fraction(plain + rates["cache_read"], card.scale),
        Fraction(plain + rates["cache_write"], card.scale),
        Fraction(rates["output"], card.scale),
    )


class ModelPrices:
    """Prices of models as the ledger names them, `provider:model`."""

    def __init__(self, project: Project) -> None:
        self._book = PriceBook(project)
        self._rungs = _rungs(project)

    def of(self, model: str, at_ns: int, input_tokens: int) -> UnitPrices | None:
        """Prices at a UTC time in nanoseconds; None where nobody knows any."""
        rung = self._rungs.get(model)
        if rung is None:
            return None
        try:
            return unit_prices(self._book.card(rung, at_ns), input_tokens)
        except UnpricedModel:
            return None

    def version(self, model: str, at_ns: int) -> str:
        """The price book that these prices come from; "" where nobody knows any."""
        rung = self._rungs.get(model)
        try:
            return "" if rung is None else self._book.card(rung, at_ns).version
        except UnpricedModel:
            return ""


def _rungs(project: Project) -> Mapping[str, Rung]:
    """The first alias of each model at each provider tells its price."""
    found: dict[str, Rung] = {}
    for alias, model in project.models.items():
        for ref in (model.ref, *model.also):
            rung = Rung(
                alias=alias, ref=ModelRef.parse(ref), max_output_tokens=model.max_output_tokens
            )
            found.setdefault(ref, rung)
    return found
