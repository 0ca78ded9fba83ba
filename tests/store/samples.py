"""Records to write, a ledger to write them to, and what is then in the files."""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.receipt import Receipt
from trimtab.store.records import Dimension, Event, EventQuery
from trimtab.store.sqlite import SqliteLedger, open_ledger, open_reader
from trimtab.types.clock import NS_PER_S, SystemClock
from trimtab.types.feedback import THUMBS, Feedback
from trimtab.types.identity import Caller
from trimtab.types.records import Extension, Intent, Settle
from trimtab.types.usage import Usage

NOON_NS = 1_795_435_200 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S
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


def pair(inference_id: str, **changes: Any) -> list[Record]:
    return [intent(inference_id, **changes), settle(inference_id)]


def thumb(inference_id: str, **changes: Any) -> Feedback:
    """A user liked it, a second after it began."""
    values: dict[str, Any] = {
        "inference_id": inference_id,
        "started_ns": NOON_NS,
        "given_ns": NOON_NS + NS_PER_S,
        "metric": THUMBS,
        "value": True,
        "bad": False,
        "user": "ann",
        "model": "openai:gpt-5-mini",
    }
    return Feedback(**(values | changes))


def pairs(count: int) -> list[Record]:
    return [entry for number in range(count) for entry in pair(f"inf_{number:06}")]


def put(ledger: SqliteLedger, entry: Record) -> Receipt:
    if isinstance(entry, Intent):
        return ledger.record_intent(entry)
    if isinstance(entry, Extension):
        ledger.record_extension(entry)
        told = Receipt()
        told.tell(None)  # nobody is told of one
        return told
    if isinstance(entry, Feedback):
        return ledger.record_feedback(entry)
    return ledger.record_settle(entry)


async def _record(data_dir: Path, entries: Iterable[Record]) -> None:
    ledger = open_ledger(data_dir, CLOCK)
    try:
        for number, entry in enumerate(entries):
            waiter = put(ledger, entry)
            if number % 2_000 == 1_999:
                await waiter
    finally:
        await ledger.close()


def record(data_dir: Path, entries: Iterable[Record]) -> None:
    """Write `entries` as one process would, and project them."""
    asyncio.run(_record(data_dir, entries))


def all_events(reader: Reader, **query: Any) -> list[Event]:
    """Every event that matches, page by page."""
    found: list[Event] = []
    values: dict[str, Any] = {"since_ns": 0, "until_ns": 1 << 62, "limit": 1_000}
    asked = EventQuery(**(values | query))
    while True:
        page = reader.event_page(asked)
        found += page.events
        if not page.next:
            return found
        asked = msgspec.structs.replace(asked, after=page.next)


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a query finds in a file; a change is committed."""
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(sql).fetchall()


DIMENSIONS: tuple[Dimension, ...] = ("total", "route", "model", "user", "key", "team")


def derived(data_dir: Path) -> dict[str, list[Any]]:
    """Every row of events, and every sum and histogram that can be asked for."""
    rollups = data_dir / "rollups.sqlite"
    found: dict[str, list[Any]] = {
        name: rows(rollups, f"SELECT * FROM {name} ORDER BY 1, 2, 3")
        for name in ("open_inferences", "cursors")
    }
    reader = open_reader(data_dir, CLOCK)
    month_ns = (NOON_NS - 3 * DAY_NS, NOON_NS + 27 * DAY_NS)
    for dimension in DIMENSIONS:
        found[dimension] = reader.usage_by(dimension, *month_ns)
        for value in [group.value for group in found[dimension]]:
            series = reader.usage_over_time(dimension, value, *month_ns, step_s=3_600)
            found[f"{dimension} {value} by hour"] = series
    found["ladders"] = reader.ladders(*month_ns)
    hours_ns = range(month_ns[0], month_ns[1] + 1, 3_600 * NS_PER_S)
    found["spend"] = list(reader.spend_facts(hours_ns))
    found["visits"] = list(reader.visits(hours_ns))
    found["prompts"] = list(reader.prompt_facts(*month_ns, step_s=3_600))
    found["feedback"] = list(reader.feedback_facts(*month_ns, step_s=3_600))
    found["costs"] = sorted(reader.cost_per_user(*month_ns).items())
    for path in sorted(data_dir.glob("events-*.sqlite")):
        found[path.name] = rows(path, "SELECT * FROM events ORDER BY 1, 2")
        found[f"attempts of {path.name}"] = rows(path, "SELECT * FROM attempts ORDER BY 1, 2")
    return found
