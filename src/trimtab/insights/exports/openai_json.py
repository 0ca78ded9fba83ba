"""Pages of OpenAI's Usage API and Costs API."""

from decimal import Decimal
from typing import Final

from trimtab.insights.exports.export import CostRow, Export, Period, UsageRow
from trimtab.insights.exports.node import Node
from trimtab.insights.exports.openai import cost_row, usage_row

__all__ = ["parse_openai_json"]

_USAGE: Final = "organization.usage.completions.result"
_COST: Final = "organization.costs.result"


def parse_openai_json(file: str, page: Node) -> Export:
    """An export from a page.

    Raises:
        UsageError: something is missing or wrong, named by its path.
    """
    periods: list[Period] = []
    usage: list[UsageRow] = []
    costs: list[CostRow] = []
    foreign: dict[str, Decimal] = {}
    for bucket in page.field("data").items():
        period = Period(bucket.field("start_time").unix_ns(), bucket.field("end_time").unix_ns())
        periods.append(period)
        results = bucket.get("results") or bucket.field("result")
        for result in results.items():
            kind = result.field("object")
            if kind.text() == _USAGE:
                usage.append(usage_row(result, period))
            elif kind.text() == _COST:
                _add_cost(result, period, costs=costs, foreign=foreign)
            else:
                kind.fail(f"{kind.text()!r} is neither usage of completions nor costs")
    if usage and costs:
        page.fail("it has usage and costs in one page, which must not be")
    if not (usage or costs or foreign):
        page.fail("no bucket has a result, so it cannot be told whether it is of usage or costs")
    return Export(
        file=file,
        vendor="openai",
        kind="usage" if usage else "cost",
        periods=tuple(periods),
        usage=tuple(usage),
        costs=tuple(costs),
        more=bool((more := page.get("has_more")) and more.value),
        foreign=foreign,
    )


def _add_cost(
    result: Node, period: Period, *, costs: list[CostRow], foreign: dict[str, Decimal]
) -> None:
    amount = result.field("amount")
    cost = cost_row(
        period,
        amount.field("value"),
        currency=amount.field("currency"),
        line_item=result.get("line_item"),
    )
    if isinstance(cost, CostRow):
        costs.append(cost)
    else:
        currency, value = cost
        foreign[currency] = foreign.get(currency, Decimal(0)) + value
