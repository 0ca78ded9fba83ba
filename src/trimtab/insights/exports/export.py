"""An export, whichever provider and format it came from. Totals include their parts."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, NamedTuple

import msgspec

from trimtab.types.money import NANO_PER_USD

__all__ = ["CostRow", "Export", "ExportKind", "Period", "UsageRow", "Vendor", "nanousd_of"]

Vendor = Literal["openai", "anthropic"]
ExportKind = Literal["usage", "cost"]


class Period(NamedTuple):
    """What a bucket covers, in UTC nanoseconds; the end is excluded."""

    start_ns: int
    end_ns: int


class UsageRow(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one model in one bucket.

    Attributes:
        input_tokens: all input, cached parts included.
        cache_read_tokens, cache_write_tokens: parts of it; None where the format does not tell.
        output_tokens: all output.
        requests: calls; None where the format does not tell.
    """

    period: Period
    model: str
    input_tokens: int
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int
    requests: int | None


class CostRow(msgspec.Struct, frozen=True, kw_only=True):
    """Money of one bucket.

    Attributes:
        model: whose tokens cost it; "" where it is not about tokens of one model.
        item: what else cost it; "" with no model either means everything in the bucket.
    """

    period: Period
    model: str
    item: str
    amount_nanousd: int


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """One file.

    Attributes:
        periods: of its buckets, empty ones included.
        more: the provider had further pages.
        foreign: amounts in currencies other than US dollars, by currency; they are in no row.
    """

    file: str
    vendor: Vendor
    kind: ExportKind
    periods: tuple[Period, ...]
    usage: tuple[UsageRow, ...] = ()
    costs: tuple[CostRow, ...] = ()
    more: bool = False
    foreign: dict[str, Decimal] = {}


def nanousd_of(amount_usd: Decimal) -> int:
    """Nano-dollars, rounded to the nearest."""
    return int((amount_usd * NANO_PER_USD).to_integral_value(ROUND_HALF_EVEN))
