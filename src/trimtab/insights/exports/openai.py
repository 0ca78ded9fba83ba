"""OpenAI's rows of usage and costs, as its API and the exports of its dashboard have them.

Sources, November 2026: the API reference, "Usage" (`GET /v1/organization/usage/completions`,
`GET /v1/organization/costs`). `input_tokens` includes the cached ones. A line item of the costs is
a model and a sort of tokens, `gpt-4.1-mini-2025-04-14, cached input`.
"""

from decimal import Decimal
from typing import Final

from trimtab.insights.exports.export import CostRow, Period, UsageRow, nanousd_of
from trimtab.insights.exports.node import Node

__all__ = ["cost_row", "model_of_item", "usage_row"]

_SORTS: Final = ("input", "output")
_MODALITIES: Final = ("text", "audio", "image")


def usage_row(row: Node, period: Period) -> UsageRow:
    """One result of `organization.usage.completions.result`."""
    model = row.get("model")
    if model is None:
        row.fail("it does not tell the model: ask with group_by=model")
    written, requests = row.get("input_cache_write_tokens"), row.get("num_model_requests")
    cached = row.get("input_cached_tokens")
    return UsageRow(
        period=period,
        model=model.text(),
        input_tokens=row.field("input_tokens").whole(),
        cache_read_tokens=None if cached is None else cached.whole(),
        cache_write_tokens=None if written is None else written.whole(),
        output_tokens=row.field("output_tokens").whole(),
        requests=None if requests is None else requests.whole(),
    )


def cost_row(
    period: Period, amount: Node, *, currency: Node, line_item: Node | None
) -> CostRow | tuple[str, Decimal]:
    """One cost; of other currencies than US dollars only their name and the amount."""
    value, unit = amount.amount(), currency.text().upper()
    if unit != "USD":
        return unit, value
    item = "" if line_item is None else line_item.text()
    model = model_of_item(item)
    return CostRow(
        period=period,
        model=model,
        item="" if model else item,
        amount_nanousd=nanousd_of(value),
    )


def model_of_item(item: str) -> str:
    """The model in a line item such as `gpt-4.1-mini-2025-04-14, cached input`, or ""."""
    name, comma, sort = item.rpartition(", ")
    words = sort.split()
    if not comma or not words or words[-1] not in _SORTS:
        return ""
    model, space, modality = name.rpartition(" ")
    return model if space and modality in _MODALITIES else name
