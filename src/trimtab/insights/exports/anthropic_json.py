"""Pages of Anthropic's usage report and cost report.

Source, November 2026: the Admin API reference, `GET /v1/organizations/usage_report/messages` and
`GET /v1/organizations/cost_report`. Input that was read from the cache or written to it stands
beside `uncached_input_tokens`. Amounts are in cents, as decimal text.
"""

from decimal import Decimal
from typing import Final

from trimtab.insights.exports.export import CostRow, Export, Period, UsageRow, nanousd_of
from trimtab.insights.exports.node import Node

__all__ = ["parse_anthropic_json"]

_CENTS: Final = 100
_WRITES: Final = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def parse_anthropic_json(file: str, page: Node) -> Export:
    """An export from a page.

    Raises:
        UsageError: something is missing or wrong, named by its path.
    """
    periods: list[Period] = []
    usage: list[UsageRow] = []
    costs: list[CostRow] = []
    foreign: dict[str, Decimal] = {}
    for bucket in page.field("data").items():
        period = Period(
            bucket.field("starting_at").rfc3339_ns(), bucket.field("ending_at").rfc3339_ns()
        )
        periods.append(period)
        for result in bucket.field("results").items():
            if result.get("amount") is None:
                usage.append(_usage_row(result, period))
                continue
            currency = result.field("currency").text().upper()
            amount = result.field("amount").amount() / _CENTS
            if currency == "USD":
                costs.append(_cost_row(result, period, nanousd_of(amount)))
            else:
                foreign[currency] = foreign.get(currency, Decimal(0)) + amount
    if usage and (costs or foreign):
        page.fail("it has usage and costs in one page, which must not be")
    if not (usage or costs or foreign):
        page.fail("no bucket has a result, so it cannot be told whether it is of usage or costs")
    return Export(
        file=file,
        vendor="anthropic",
        kind="usage" if usage else "cost",
        periods=tuple(periods),
        usage=tuple(usage),
        costs=tuple(costs),
        more=bool((more := page.get("has_more")) and more.value),
        foreign=foreign,
    )


def _usage_row(result: Node, period: Period) -> UsageRow:
    model = result.get("model")
    if model is None:
        result.fail("it does not tell the model: ask with group_by[]=model")
    creation = result.get("cache_creation")
    parts = [creation.get(name) for name in _WRITES] if creation is not None else []
    written = sum(part.whole() for part in parts if part is not None)
    read = result.field("cache_read_input_tokens").whole()
    return UsageRow(
        period=period,
        model=model.text(),
        input_tokens=result.field("uncached_input_tokens").whole() + read + written,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=result.field("output_tokens").whole(),
        requests=None,
    )


def _cost_row(result: Node, period: Period, amount_nanousd: int) -> CostRow:
    """The model where it is of tokens; else what it is of, if that is told."""
    model, sort, text = (result.get(name) for name in ("model", "cost_type", "description"))
    item = text or sort
    is_tokens = model is not None and (sort is None or sort.text() == "tokens")
    return CostRow(
        period=period,
        model=model.text() if model is not None and is_tokens else "",
        item="" if is_tokens or item is None else item.text(),
        amount_nanousd=amount_nanousd,
    )
