"""Snapshots to render, and what parsers make of the text."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as _parse_openmetrics,  # pyright: ignore[reportUnknownVariableType] - it has no types
)
from prometheus_client.parser import text_string_to_metric_families

from trimtab.gateway.tally import Tally
from trimtab.telemetry.snapshot import (
    AlertTotals,
    CacheFigures,
    LedgerFigures,
    ProviderCalls,
    Snapshot,
)
from trimtab.types.breakers import BreakerRecord
from trimtab.types.records import Settle
from trimtab.types.refs import ModelRef
from trimtab.types.usage import Usage

OPENMETRICS = "application/openmetrics-text"
REF = ModelRef("openai", "gpt-5-mini")

Labels = frozenset[tuple[str, str]]
_Parse = Callable[[str], Iterable[Metric]]


def settle(**changes: Any) -> Settle:
    values: dict[str, Any] = {
        "inference_id": "inf_1",
        "attempt": 1,
        "ended_ns": 1,
        "outcome": "ok",
        "latency_us": 1_500_000,
        "ttft_us": 200_000,
        "usage": Usage(input_tokens=10, output_tokens=3),
        "cost_nanousd": 1_234_567,
    }
    return Settle(**(values | changes))


def snapshot(tally: Tally | None = None, **changes: Any) -> Snapshot:
    counted = tally or Tally()
    values: dict[str, Any] = {
        "attempts": counted.attempts(),
        "inferences": counted.inferences(),
        "inflight": 3,
        "providers": (ProviderCalls(provider="openai", busy=2, waiting=1),),
        "breakers": (
            BreakerRecord(
                provider="openai", model="gpt-5-mini", state="half-open", failures_in_a_row=4
            ),
        ),
        "extra_attempts_made": 5,
        "extra_attempts_refused": 6,
        "ledger": LedgerFigures(trouble=True, backlog=7, dropped_bodies=8),
        "cache": CacheFigures(hits=9, stale_hits=10, misses=11, dropped=12, size_bytes=13),
        "alerts": (AlertTotals(kind="budget", state="delivered", alerts=14),),
    }
    return Snapshot(**(values | changes))


def families(text: str, *, opened: bool = False) -> dict[str, Metric]:
    """What the library's own parser reads; each family may come once."""
    parse = cast("_Parse", _parse_openmetrics if opened else text_string_to_metric_families)
    found: dict[str, Metric] = {}
    for family in parse(text):
        assert family.name not in found, f"{family.name} came twice"
        found[family.name] = family
    return found


def samples(text: str, *, opened: bool = False) -> dict[tuple[str, Labels], float]:
    """Values by name and labels; each may come once."""
    found: dict[tuple[str, Labels], float] = {}
    for family in families(text, opened=opened).values():
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} came twice"
            found[key] = sample.value
    return found


def value(found: dict[tuple[str, Labels], float], name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]
