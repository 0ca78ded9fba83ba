"""The CSV files that OpenAI's dashboard exports: costs, and usage of completions.

Columns as seen in exports of 2025 and 2026: `start_time`, `end_time` (Unix seconds), then
`amount_value`, `amount_currency`, `line_item`, or `model`, `input_tokens`, `output_tokens`,
`input_cached_tokens` and others. A bucket in which nothing happened has a row without figures.
"""

import csv
import io
from decimal import Decimal
from typing import Final

from trimtab.errors import UsageError
from trimtab.insights.exports.export import CostRow, Export, Period, UsageRow
from trimtab.insights.exports.node import Node
from trimtab.insights.exports.openai import cost_row, usage_row

__all__ = ["parse_openai_csv"]

_WHEN: Final = ("start_time", "end_time")
_COST: Final = "amount_value"
_USAGE: Final = "input_tokens"


def parse_openai_csv(file: str, text: str) -> Export:
    """An export from a CSV file.

    Raises:
        UsageError: it has other columns, or something is wrong, named by its line.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = reader.fieldnames or ()
    is_cost = _COST in columns
    if any(name not in columns for name in _WHEN) or not (is_cost or _USAGE in columns):
        raise UsageError(
            f"{file}: it is neither JSON nor a CSV export of OpenAI's costs or usage, which has "
            f"the columns start_time, end_time and amount_value or input_tokens."
        )
    periods: dict[Period, None] = {}  # each once, though a bucket has many rows
    usage: list[UsageRow] = []
    costs: list[CostRow] = []
    foreign: dict[str, Decimal] = {}
    for row in _rows(file, reader):
        period = Period(row.field("start_time").unix_ns(), row.field("end_time").unix_ns())
        periods[period] = None
        figure = row.get(_COST if is_cost else _USAGE)
        if figure is None:
            continue
        if not is_cost:
            usage.append(usage_row(row, period))
            continue
        cost = cost_row(
            period, figure, currency=row.field("amount_currency"), line_item=row.get("line_item")
        )
        if isinstance(cost, CostRow):
            costs.append(cost)
        else:
            foreign[cost[0]] = foreign.get(cost[0], Decimal(0)) + cost[1]
    return Export(
        file=file,
        vendor="openai",
        kind="cost" if is_cost else "usage",
        periods=tuple(periods),
        usage=tuple(usage),
        costs=tuple(costs),
        foreign=foreign,
    )


def _rows(file: str, reader: "csv.DictReader[str]") -> list[Node]:
    try:
        return [Node(f"{file}, line {reader.line_num}, ", row) for row in reader]
    except csv.Error as error:
        raise UsageError(
            f"{file}: line {reader.line_num}: {error}. Export it from the provider again."
        ) from None
