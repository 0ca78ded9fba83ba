"""What calls cost, computed a second time: fractions, and prices as they are written down here."""

from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

NANO_PER_MTOK_USD = 1_000  # a dollar per million tokens is a thousand nano-dollars per token


class Rates(NamedTuple):
    """USD per million tokens; None is charged like the whole that it is a part of.

    Attributes:
        toml: how a project says so.
    """

    toml: str
    input: str
    output: str
    cache_read: str | None = None
    cache_write: str | None = None
    reasoning: str | None = None
    input_audio: str | None = None
    output_audio: str | None = None


def declared(**prices: str) -> Rates:
    """Rates that the project itself declares."""
    table = ", ".join(f"{name}_usd_per_mtok = {value}" for name, value in prices.items())
    return Rates(f"price = {{{table}}}", **prices)


# Amounts that do not come out even, so that rounding shows.
ODD = declared(
    input="0.12345",
    output="1.98765",
    cache_read="0.04321",
    cache_write="0.234567",
    reasoning="2.5000005",
)
SMALL = declared(input="0.0333", output="0.0777")
# https://openai.com/api/pricing/ (gpt-4o-mini: 0.15, cached 0.075, 0.60; gpt-audio: text 2.50 and
# 10.00, audio 32.00 and 64.00), https://docs.claude.com/en/docs/about-claude/pricing (Haiku 4.5:
# 1, cache write of 5 minutes 1.25, cache read 0.10, 5).
GPT_4O_MINI = Rates('price_as = "openai:gpt-4o-mini"', "0.15", "0.60", cache_read="0.075")
GPT_AUDIO = Rates(
    'price_as = "openai:gpt-audio"', "2.50", "10.00", input_audio="32.00", output_audio="64.00"
)
HAIKU = Rates(
    'price_as = "anthropic:claude-haiku-4-5"',
    "1.00",
    "5.00",
    cache_read="0.10",
    cache_write="1.25",
)


def reported_cost(rates: Rates, usage: dict[str, Any]) -> int:
    """Nano-dollars of a usage object of the wire; its totals include their parts."""
    details: dict[str, int] = usage.get("prompt_tokens_details") or {}
    output: dict[str, int] = usage.get("completion_tokens_details") or {}
    read: int = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
    parts = (
        (read, rates.cache_read, rates.input),
        (details.get("cache_write_tokens") or 0, rates.cache_write, rates.input),
        (details.get("audio_tokens") or 0, rates.input_audio, rates.input),
        (output.get("reasoning_tokens") or 0, rates.reasoning, rates.output),
        (output.get("audio_tokens") or 0, rates.output_audio, rates.output),
    )
    amount = _amount(usage["prompt_tokens"], rates.input)
    amount += _amount(usage["completion_tokens"], rates.output)
    for tokens, price, whole in parts:
        if price is not None:
            amount += _amount(tokens, price) - _amount(tokens, whole)
    return floor(amount + Fraction(1, 2))


def estimated_cost(rates: Rates, body_bytes: int, frames: int) -> int:
    """Nano-dollars by the rule for calls of which nobody reported anything."""
    amount = _amount(-(-body_bytes // 4), rates.input) + _amount(frames, rates.output)
    return floor(amount + Fraction(1, 2))


def _amount(tokens: int, usd_per_mtok: str) -> Fraction:
    return tokens * Fraction(usd_per_mtok) * NANO_PER_MTOK_USD
