"""How long people wait: percentiles, with timeouts counted at their deadline."""

from typing import Final, Literal

import msgspec

from trimtab.insights.ranking import costliest
from trimtab.stats.histogram import LogHistogram
from trimtab.store.protocol import Reader
from trimtab.store.records import GroupSummary, Measure

__all__ = [
    "NOTHING_TIMED",
    "TIMED",
    "Grouping",
    "LatencyRow",
    "Percentiles",
    "latency_by",
    "latency_row",
]

Grouping = Literal["total", "model", "route", "user"]
"""What `latency_by` can split by."""


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of durations in milliseconds, each within 1 %; None where nothing was timed.

    Attributes:
        count: how many were timed.
    """

    count: int
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    max_ms: float | None

    @classmethod
    def of(cls, histogram: LogHistogram, max_us: int) -> "Percentiles":
        """Read the percentiles of a histogram of microseconds."""
        count = histogram.count
        found = [
            None if value is None else round(min(value, max_us) / 1000, 3)
            for value in histogram.percentiles(_SHARES)
        ]
        return cls(
            count=count,
            p50_ms=found[0],
            p90_ms=found[1],
            p95_ms=found[2],
            p99_ms=found[3],
            p999_ms=found[4],
            max_ms=max_us / 1000 if count else None,
        )


_SHARES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
TIMED: Final[tuple[Measure, ...]] = ("latency", "ttft")
"""What a `LatencyRow` is made of."""

NOTHING_TIMED = Percentiles.of(LogHistogram(), 0)


class LatencyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model, route or user, or all of them.

    Attributes:
        total: from the request to the end of the answer, of every inference. A timeout counts at
            its deadline, a cancelled one at the moment it was cancelled: both are lower bounds.
        ttft: to the first token, of streams; one that timed out before it counts at its limit.
    """

    value: str
    requests: int
    errors: int
    timeouts: int
    cancelled: int
    total: Percentiles
    ttft: Percentiles


def latency_by(
    reader: Reader, grouping: Grouping, *, since_ns: int, until_ns: int, top: int | None = None
) -> list[LatencyRow]:
    """Latency of each value of `grouping` between two UTC times, the busiest first.

    Users may be many, and reading the distributions of all of them takes seconds: with `top` only
    so many are read, the costliest.
    """
    few = None
    if top is not None and grouping == "user":
        few = costliest(reader.cost_per_user(since_ns, until_ns), top)
    groups = reader.usage_by(grouping, since_ns, until_ns, values=few, measures=TIMED)
    return [latency_row(group) for group in sorted(groups, key=lambda group: -group.requests)]


def latency_row(group: GroupSummary) -> LatencyRow:
    """How long the inferences of a group took."""
    return LatencyRow(
        value=group.value,
        requests=group.requests,
        errors=group.errors,
        timeouts=group.timeouts,
        cancelled=group.cancelled,
        total=Percentiles.of(group.latency_histogram, group.latency_max_us),
        ttft=Percentiles.of(group.ttft_histogram, group.ttft_max_us),
    )
