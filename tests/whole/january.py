"""The month of the worked example in docs/explain.md: small, and the same every day."""

from collections.abc import Iterator
from typing import Any, Final

from trimtab.store.chain import Record
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller
from trimtab.types.records import Intent, Settle
from trimtab.types.usage import Usage

__all__ = ["PLAN", "PROJECT", "records"]

PROJECT: Final = """\
[providers.openai]

[models.smart]
ref = "openai:smart-1"
[models.smart.price]
input_usd_per_mtok = 2
cache_read_usd_per_mtok = 0.5
output_usd_per_mtok = 8

[models.fast]
ref = "openai:fast-1"
[models.fast.price]
input_usd_per_mtok = 0.5
cache_read_usd_per_mtok = 0.125
output_usd_per_mtok = 2
"""
PLAN: Final = (
    "--from", "2025-01-01", "--users", "10", "--requests", "4", "--turns", "4", "--input", "1000",
    "--output", "200", "--cached", "0.5", "--model", "smart",
)  # fmt: skip

_FIRST_NS: Final = 1_735_689_600 * NS_PER_S  # 2025-01-01 00:00 UTC
_PRICES: Final = {"smart-1": (2_000, 500, 8_000), "fast-1": (500, 125, 2_000)}
_DAYS, _USERS, _REQUESTS, _AGAIN = 31, 12, 5, 6


def records() -> Iterator[Record]:
    """Twelve users a day with five requests each, every tenth of which is asked for again."""
    number = 0
    for day in range(_DAYS):
        for place in range(_USERS * _REQUESTS + _AGAIN):
            user, turn = divmod(place % (_USERS * _REQUESTS), _REQUESTS)
            number += 1
            yield from _inference(
                number,
                started_ns=_FIRST_NS + (day * 1_440 + user * 60 + turn) * 60 * NS_PER_S,
                caller=Caller("key_1", "shop", f"user{user}", f"{day}-{user}"),
                repeat=place >= _USERS * _REQUESTS,
            )


def _inference(number: int, **ask: Any) -> Iterator[Record]:
    usage = Usage(input_tokens=1_200, cache_read_tokens=600, output_tokens=200)
    first = _begin(number, 1, ask)
    yield first
    if number % 20 == 0:
        yield _end(first, Usage(input_tokens=1_200), outcome="error", error_code="busy")
        again = _begin(number, 2, ask, cause="retry")
        yield again
        yield _end(again, usage, final=True)
    elif number % 33 == 0:
        yield _end(first, Usage(), outcome="error", error_code="unreachable")
        other = _begin(number, 2, ask, cause="fallback", rung=1, model="fast-1")
        yield other
        yield _end(other, Usage(input_tokens=1_200, output_tokens=200), final=True)
    elif number % 50 == 1:
        half = Usage(input_tokens=1_200, cache_read_tokens=600, output_tokens=100)
        yield _end(first, half, final=True, outcome="cancelled", error_code="caller_gone")
    else:
        reason = "length" if number % 40 == 3 else "stop"
        yield _end(first, usage, final=True, finish_reason=reason)


def _begin(number: int, attempt: int, ask: dict[str, Any], **changes: Any) -> Intent:
    values: dict[str, Any] = {"model": "smart-1"}
    return Intent(
        inference_id=f"inf_{number:05}",
        attempt=attempt,
        route="smart",
        alias="smart",
        provider="openai",
        streamed=False,
        hold_nanousd=10_000_000,
        price_version="project/1",
        **values | ask | changes,
    )


def _end(begun: Intent, usage: Usage, *, final: bool = False, **changes: Any) -> Settle:
    plain, read, output = _PRICES[begun.model]
    cached = usage.cache_read_tokens
    cost = (usage.input_tokens - cached) * plain + cached * read + usage.output_tokens * output
    values: dict[str, Any] = {"outcome": "ok", "finish_reason": "stop" if final else ""}
    return Settle(
        inference_id=begun.inference_id,
        attempt=begun.attempt,
        ended_ns=begun.started_ns + NS_PER_S,
        final=final,
        latency_us=1_000_000,
        usage=usage,
        usage_source="reported",
        cost_nanousd=cost,
        price_version="project/1",
        **values | changes,
    )
