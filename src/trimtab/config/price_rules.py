"""What must hold of the prices that a project declares, beyond the shape of each."""

from itertools import pairwise

from trimtab.config.locate import KeyPath
from trimtab.config.price import Price
from trimtab.config.reader import TableReader
from trimtab.config.schema import Model, ProjectTable

__all__ = ["check_prices"]


def check_prices(tables: ProjectTable, reader: TableReader) -> None:
    """Report to `reader` every rule about prices that `tables` break."""
    for alias, model in tables.models.items():
        path = ("models", alias)
        _check_one_source(path, model, reader)
        if model.price is not None:
            _check_price((*path, "price"), model.price, reader)
        for number, price in enumerate(model.prices):
            at = (*path, "prices", str(number))
            _check_price(at, price, reader)
            if price in model.prices[:number]:
                reader.report(at, "this price is written twice", "Remove one of them")


def _check_one_source(path: KeyPath, model: Model, reader: TableReader) -> None:
    sources = {"price_as": model.price_as, "price": model.price, "prices": model.prices}
    given = [name for name, source in sources.items() if source]
    if len(given) > 1:
        problem = f"{' and '.join(sorted(given))} exclude each other"
        reader.report((*path, given[0]), problem, "Remove one of them")


def _check_price(path: KeyPath, price: Price, reader: TableReader) -> None:
    for number, tier in enumerate(price.tiers):
        for name in tier.__struct_fields__:
            if name in price.__struct_fields__ and getattr(tier, name) is not None:
                _check_base(path, price, name, tier=number, reader=reader)
    for number, (below, above) in enumerate(pairwise(price.tiers), 1):
        if above.above_input_tokens <= below.above_input_tokens:
            at = (*path, "tiers", str(number), "above_input_tokens")
            reader.report(at, "the tiers do not ascend", "Sort them by above_input_tokens")

    for name in price.service_tiers:
        if name != name.lower():
            remedy = f"Write {name.lower()}: the words of providers are compared in small letters"
            reader.report((*path, "service_tiers", name), "this is never met", remedy)


def _check_base(path: KeyPath, price: Price, name: str, *, tier: int, reader: TableReader) -> None:
    if getattr(price, name) is None:
        at = (*path, "tiers", str(tier), name)
        remedy = f"Add {name} to [{'.'.join(path)}] too"
        reader.report(at, "this has a price in a tier, and none below it", remedy)
