"""Records to write, and a ledger to write them to."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trimtab.store.chain import Record
from trimtab.store.sqlite.ledger import open_ledger
from trimtab.types.clock import NS_PER_S, SystemClock
from trimtab.types.identity import Caller
from trimtab.types.records import Intent, Settle
from trimtab.types.usage import Usage

NOON_NS = 1_795_435_200 * NS_PER_S  # 2026-11-23 12:00 UTC
CLOCK = SystemClock()


def intent(inference_id: str, **changes: Any) -> Intent:
    values: dict[str, Any] = {
        "inference_id": inference_id,
        "attempt": 1,
        "started_ns": NOON_NS,
        "caller": Caller("key_1", "search", "ann", "s1"),
        "route": "main",
        "alias": "smart",
        "provider": "openai",
        "model": "gpt-5-mini",
        "streamed": True,
        "hold_nanousd": 5_000,
        "price_version": "2026-11-01",
    }
    return Intent(**(values | changes))


def settle(inference_id: str, **changes: Any) -> Settle:
    values: dict[str, Any] = {
        "inference_id": inference_id,
        "attempt": 1,
        "ended_ns": NOON_NS + NS_PER_S,
        "outcome": "ok",
        "latency_us": 1_000_000,
        "ttft_us": 200_000,
        "status": 200,
        "served_model": "gpt-5-mini-2026-08-07",
        "provider_request_id": "req_1",
        "finish_reason": "stop",
        "usage": Usage(input_tokens=100, cache_read_tokens=20, output_tokens=50),
        "usage_source": "reported",
        "cost_nanousd": 1_200,
        "price_version": "2026-11-01",
    }
    return Settle(**(values | changes))


async def _record(data_dir: Path, records: Iterable[Record]) -> None:
    ledger = open_ledger(data_dir, CLOCK)
    try:
        for number, record in enumerate(records):
            if isinstance(record, Intent):
                waiter = ledger.record_intent(record)
            else:
                waiter = ledger.record_settle(record)
            if number % 1000 == 999:
                await waiter
    finally:
        await ledger.close()


def record(data_dir: Path, records: Iterable[Record]) -> None:
    """Write `records` as one process would, and project them."""
    asyncio.run(_record(data_dir, records))


def pair(inference_id: str, **changes: Any) -> list[Record]:
    return [intent(inference_id, **changes), settle(inference_id)]
