"""Prices of one model -> integer rates, so that a cost is a sum of products and one division.

How the parts of usage are priced (the same as genai-prices, decompose.py): totals include their
parts, and each token is charged once, at the price of the most specific unit that has one. Input
of 100 tokens of which 60 came from the cache costs 40 x input + 60 x cache_read; without a price
for cache_read it costs 100 x input. That is linear in the reported counts,

    cost = 100 x input + 60 x (cache_read - input)

so each unit gets one rate: its price less what its tokens were already charged as part of
larger units. The rates are worked out once per card; the hot path only multiplies.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import mul
from typing import Literal, NamedTuple, cast

import msgspec
from msgspec.structs import astuple

from trimtab.types.usage import Usage

__all__ = ["RATED", "UNITS", "CardPrices", "RateCard", "TieredPrice", "Unit", "compile_card"]

Unit = Literal[
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "input_audio",
    "cache_read_audio",
    "output",
    "reasoning",
    "output_audio",
]

# Each unit with those that it is a part of. Wholes stand before their parts.
_WHOLES: dict[Unit, tuple[Unit, ...]] = {
    "input": (),
    "cache_read": ("input",),
    "cache_write": ("input",),
    "cache_write_1h": ("input", "cache_write"),
    "input_audio": ("input",),
    "cache_read_audio": ("input", "cache_read", "input_audio"),
    "output": (),
    "reasoning": ("output",),
    "output_audio": ("output",),
}
UNITS: tuple[Unit, ...] = tuple(_WHOLES)
RATED: tuple[Unit, ...] = tuple(
    cast("Unit", field.removesuffix("_tokens")) for field in Usage.__struct_fields__
)
"""The units in the order of `Usage`, and so of the rates of a card."""

_NANO_DECIMALS = 3  # one USD per million tokens is 10^3 nano-dollars per token
_LEAST_DECIMALS = 9  # femto-dollars per token; enough for every list price seen so far
_MORE_THAN_ANY = 1 << 40
_REQUEST_FACTOR = 1_000  # a price per thousand calls, charged per call where others are per million


class TieredPrice(NamedTuple):
    """A price in USD per million tokens that depends on the total input of the request.

    Attributes:
        base: the price up to the first tier.
        tiers: (start, price), ascending; the last one whose start is *below* the total input
            holds for all tokens of the request (a cliff, not a staircase).
    """

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def at(self, input_tokens: int) -> Decimal:
        """The price for a request of `input_tokens` in all."""
        price = self.base
        for start, tier_price in self.tiers:
            if input_tokens > start:
                price = tier_price
        return price


class CardPrices(NamedTuple):
    """What a card is compiled from.

    Attributes:
        units: the price of each unit that has one of its own.
        per_thousand_requests: USD per thousand calls, on top of the tokens.
    """

    units: Mapping[Unit, TieredPrice]
    per_thousand_requests: Decimal = Decimal(0)


class _Row(NamedTuple):
    """Scaled integers per token, in the order of `RATED`, and the worst for holds."""

    rates: tuple[int, ...]
    hold_input: int
    hold_output: int


class RateCard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The price of one model at one moment and service tier, in integers.

    Attributes:
        version: the price book that it comes from; goes into the ledger with each cost.
        starts: total input above which the next row holds; ascending.
        rows: one more than `starts`.
        per_request: what each call costs on top, in the same scale.
        scale: the rates' units per nano-dollar; even.
    """

    version: str
    starts: tuple[int, ...]
    rows: tuple[_Row, ...]
    per_request: int
    scale: int

    def cost_nanousd(self, usage: Usage) -> int:
        """What `usage` costs: summed exactly, then rounded once, half up.

        Usage that contradicts itself, such as more cached input than input, is not an error and
        never makes a cost negative: each part is cut to what its whole has left (see `_settled`).
        """
        tokens = astuple(usage)
        # Two totals without any part cannot contradict each other, and are what there mostly is.
        if (sum(tokens) != tokens[0] + tokens[4] or min(tokens) < 0) and not _is_consistent(usage):
            tokens = astuple(_settled(usage))
        rates = self.rows[bisect_left(self.starts, tokens[0])].rates
        total = sum(map(mul, rates, tokens), self.per_request)
        return (total + self.scale // 2) // self.scale

    def hold_nanousd(self, input_tokens: int, output_tokens: int) -> int:
        """The most that so many tokens of text can cost, rounded up.

        Input counts at the dearer of plain and cache-writing, output at that of plain and
        reasoning. Neither audio nor a cache of an hour is assumed: either would multiply the hold
        of every request that has nothing of it.
        """
        row = self.rows[bisect_left(self.starts, input_tokens)]
        total = self.per_request + row.hold_input * input_tokens + row.hold_output * output_tokens
        return -(-total // self.scale)

    def affords(self, input_tokens: int, nanousd: int) -> int:
        """The most output tokens for which `hold_nanousd` stays within an amount.

        Negative where not even the input is. Where output costs nothing, it is more than any
        model can produce.
        """
        row = self.rows[bisect_left(self.starts, input_tokens)]
        left = nanousd * self.scale - self.per_request - row.hold_input * input_tokens
        if row.hold_output == 0:
            return _MORE_THAN_ANY if left >= 0 else -1
        return left // row.hold_output


def compile_card(prices: CardPrices, version: str) -> RateCard:
    """The integer form of `prices`, exact whatever their number of decimals."""
    decimals = max(_LEAST_DECIMALS, *(_decimals(amount) for amount in _amounts(prices)))
    starts = tuple(sorted({start for price in prices.units.values() for start, _ in price.tiers}))
    # A row holds above the start before it; one token more than that start is inside.
    probes = (0, *(start + 1 for start in starts))
    return RateCard(
        version=version,
        starts=starts,
        rows=tuple(_row(prices.units, input_tokens=probe, decimals=decimals) for probe in probes),
        per_request=_scaled(prices.per_thousand_requests, decimals) * _REQUEST_FACTOR,
        scale=10 ** (decimals - _NANO_DECIMALS),
    )


def _row(units: Mapping[Unit, TieredPrice], *, input_tokens: int, decimals: int) -> _Row:
    price = {unit: _scaled(units[unit].at(input_tokens), decimals) for unit in units}
    rate = dict.fromkeys(UNITS, 0)
    for unit, wholes in _WHOLES.items():
        if unit in price:
            rate[unit] = price[unit] - sum(rate[whole] for whole in wholes)
    return _Row(
        rates=tuple(rate[unit] for unit in RATED),
        hold_input=max(price.get("input", 0), price.get("cache_write", 0)),
        hold_output=max(price.get("output", 0), price.get("reasoning", 0)),
    )


def _amounts(prices: CardPrices) -> Iterable[Decimal]:
    yield prices.per_thousand_requests
    for price in prices.units.values():
        yield price.base
        yield from (amount for _, amount in price.tiers)


def _decimals(amount: Decimal) -> int:
    _, denominator = amount.as_integer_ratio()
    return next(
        places for places in range(denominator.bit_length()) if 10**places % denominator == 0
    )


def _scaled(amount: Decimal, decimals: int) -> int:
    numerator, denominator = amount.as_integer_ratio()
    return numerator * 10**decimals // denominator  # without remainder: see `_decimals`


def _is_consistent(usage: Usage) -> bool:
    """Whether the parts fit into their totals, which is so for every sane provider."""
    return (
        usage.cache_read_tokens >= usage.cache_read_audio_tokens >= 0
        and usage.input_audio_tokens >= usage.cache_read_audio_tokens
        and usage.cache_write_tokens >= usage.cache_write_1h_tokens >= 0
        and usage.reasoning_tokens >= 0
        and usage.output_audio_tokens >= 0
        and usage.output_tokens >= usage.reasoning_tokens + usage.output_audio_tokens
        and usage.input_tokens + usage.cache_read_audio_tokens
        >= usage.cache_read_tokens + usage.cache_write_tokens + usage.input_audio_tokens
    )


def _settled(usage: Usage) -> Usage:
    """`usage` with its contradictions settled; totals are believed before their parts.

    Negative counts become 0. Of input, cached tokens are believed first, then those written to
    the cache, then audio; what does not fit any more is cut. Cached audio that was not reported
    is assumed where audio and cached tokens could not both fit without it. Of output, reasoning
    is believed before audio.
    """
    whole = max(0, usage.input_tokens)
    read = _clamp(usage.cache_read_tokens, 0, whole)
    write = _clamp(usage.cache_write_tokens, 0, whole - read)
    audio = _clamp(usage.input_audio_tokens, 0, whole - write)
    read_audio_floor = max(0, read + write + audio - whole)
    output = max(0, usage.output_tokens)
    reasoning = _clamp(usage.reasoning_tokens, 0, output)
    return Usage(
        input_tokens=whole,
        cache_read_tokens=read,
        cache_write_tokens=write,
        cache_write_1h_tokens=_clamp(usage.cache_write_1h_tokens, 0, write),
        input_audio_tokens=audio,
        cache_read_audio_tokens=_clamp(
            usage.cache_read_audio_tokens, read_audio_floor, min(read, audio)
        ),
        output_tokens=output,
        reasoning_tokens=reasoning,
        output_audio_tokens=_clamp(usage.output_audio_tokens, 0, output - reasoning),
    )


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))
