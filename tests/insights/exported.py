"""Calls, the ledger that recorded them, and the exports that a provider would make of them.

The exports are computed here from the calls alone, with arithmetic of their own.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from store.samples import NOON_NS, intent, record, settle
from trimtab.store.chain import Record
from trimtab.types.clock import NS_PER_S
from trimtab.types.usage import Usage

DAY_S = 86_400
DAY_ZERO_S = NOON_NS // NS_PER_S // DAY_S * DAY_S
DAY_ZERO = datetime.fromtimestamp(DAY_ZERO_S, UTC).date().isoformat()
PROVIDER = "fake"
CSV_COLUMNS = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,"
    "project_id,organization_id,organization_name"
)


class Call(NamedTuple):
    """One call. Input includes what is cached; `cents` is its price in cents."""

    day: int = 0
    model: str = "gpt-x-2026-01-01"
    asked: str = ""
    input: int = 1_000
    cached: int = 200
    written: int = 0
    output: int = 300
    cents: Decimal = Decimal("0.0125")
    hour: int = 12

    @property
    def started_ns(self) -> int:
        return (DAY_ZERO_S + self.day * DAY_S + self.hour * 3_600) * NS_PER_S


def entries(calls: Iterable[Call], **settled: Any) -> list[Record]:
    found: list[Record] = []
    for number, call in enumerate(calls):
        inference_id = f"inf_{number:06}"
        found.append(
            intent(
                inference_id,
                provider=PROVIDER,
                model=call.asked or call.model,
                started_ns=call.started_ns,
            )
        )
        usage = Usage(
            input_tokens=call.input,
            cache_read_tokens=call.cached,
            cache_write_tokens=call.written,
            output_tokens=call.output,
        )
        values: dict[str, Any] = {
            "ended_ns": call.started_ns + NS_PER_S,
            "usage": usage,
            "served_model": call.model,
            "cost_nanousd": int(call.cents * 10_000_000),
        }
        found.append(settle(inference_id, **(values | settled)))
    return found


def keep(folder: Path, calls: Iterable[Call], **settled: Any) -> None:
    """Write them into the ledger of the project in `folder`."""
    record(folder / ".trimtab", entries(calls, **settled))


def by_day_and_model(calls: Iterable[Call]) -> dict[int, dict[str, list[Call]]]:
    found: defaultdict[int, dict[str, list[Call]]] = defaultdict(dict)
    for call in calls:
        found[call.day].setdefault(call.model, []).append(call)
    return found


def openai_page(buckets: Sequence[tuple[int, list[dict[str, Any]]]], **page: Any) -> dict[str, Any]:
    return {
        "object": "page",
        "data": [
            {
                "object": "bucket",
                "start_time": DAY_ZERO_S + day * DAY_S,
                "end_time": DAY_ZERO_S + (day + 1) * DAY_S,
                "results": results,
            }
            for day, results in buckets
        ],
        "has_more": False,
        "next_page": None,
    } | page


def openai_usage(calls: Iterable[Call], days: Iterable[int] = (0,)) -> dict[str, Any]:
    models = by_day_and_model(calls)
    return openai_page([
        (
            day,
            [
                {
                    "object": "organization.usage.completions.result",
                    "input_tokens": sum(call.input for call in some),
                    "output_tokens": sum(call.output for call in some),
                    "input_cached_tokens": sum(call.cached for call in some),
                    "input_audio_tokens": 0,
                    "output_audio_tokens": 0,
                    "num_model_requests": len(some),
                    "project_id": None,
                    "user_id": None,
                    "api_key_id": None,
                    "model": model,
                    "batch": None,
                }
                for model, some in models.get(day, {}).items()
            ],
        )
        for day in days
    ])  # fmt: skip


def openai_costs(
    calls: Iterable[Call], days: Iterable[int] = (0,), *, by_item: bool = True
) -> dict[str, Any]:
    models = by_day_and_model(calls)
    buckets: list[tuple[int, list[dict[str, Any]]]] = []
    for day in days:
        results: list[dict[str, Any]] = []
        for model, some in models.get(day, {}).items():
            cents = sum((call.cents for call in some), Decimal(0))
            shares = {"input": cents / 4, "cached input": cents / 8}
            shares["output"] = cents - sum(shares.values(), Decimal(0))
            results += [
                {
                    "object": "organization.costs.result",
                    "amount": {"value": float(amount / 100), "currency": "usd"},
                    "line_item": f"{model}, {sort}" if by_item else None,
                    "project_id": None,
                }
                for sort, amount in shares.items()
            ]
        buckets.append((day, results))
    return openai_page(buckets)


def openai_costs_csv(calls: Iterable[Call], days: Iterable[int] = (0,)) -> str:
    lines = [CSV_COLUMNS]
    for bucket in openai_costs(calls, days)["data"]:
        start, end = bucket["start_time"], bucket["end_time"]
        isos = [datetime.fromtimestamp(at, UTC).isoformat() for at in (start, end)]
        when = f"{start},{end},{isos[0]},{isos[1]}"
        lines += [
            f'{when},{Decimal(str(one["amount"]["value"])):f},usd,"{one["line_item"]}",,org-1,Shop'
            for one in bucket["results"]
        ] or [f"{when},,,,,,"]
    return "\n".join(lines) + "\n"


def anthropic_page(
    buckets: Iterable[tuple[int, list[dict[str, Any]]]], **page: Any
) -> dict[str, Any]:
    def iso(day: int) -> str:
        at = datetime.fromtimestamp(DAY_ZERO_S + day * DAY_S, UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "data": [
            {"starting_at": iso(day), "ending_at": iso(day + 1), "results": results}
            for day, results in buckets
        ],
        "has_more": False,
        "next_page": None,
    } | page


def anthropic_usage(calls: Iterable[Call], days: Iterable[int] = (0,)) -> dict[str, Any]:
    models = by_day_and_model(calls)
    return anthropic_page([
        (
            day,
            [
                {
                    "uncached_input_tokens": sum(
                        call.input - call.cached - call.written for call in some
                    ),
                    "cache_creation": {
                        "ephemeral_1h_input_tokens": sum(call.written // 3 for call in some),
                        "ephemeral_5m_input_tokens": sum(
                            call.written - call.written // 3 for call in some
                        ),
                    },
                    "cache_read_input_tokens": sum(call.cached for call in some),
                    "output_tokens": sum(call.output for call in some),
                    "server_tool_use": {"web_search_requests": 0},
                    "api_key_id": None,
                    "workspace_id": None,
                    "model": model,
                    "service_tier": None,
                    "context_window": None,
                }
                for model, some in models.get(day, {}).items()
            ],
        )
        for day in days
    ])  # fmt: skip


def anthropic_costs(calls: Iterable[Call], days: Iterable[int] = (0,)) -> dict[str, Any]:
    models = by_day_and_model(calls)
    return anthropic_page([
        (
            day,
            [
                {
                    "amount": str(sum((call.cents for call in some), Decimal(0))),
                    "currency": "USD",
                    "cost_type": "tokens",
                    "description": f"{model} Usage - Input Tokens",
                    "model": model,
                    "service_tier": "standard",
                    "token_type": "uncached_input_tokens",
                    "context_window": "0-200k",
                    "workspace_id": None,
                }
                for model, some in models.get(day, {}).items()
            ],
        )
        for day in days
    ])  # fmt: skip


def write(folder: Path, name: str, export: dict[str, Any] | str) -> str:
    path = folder / name
    path.write_text(export if isinstance(export, str) else json.dumps(export), encoding="utf-8")
    return str(path)
