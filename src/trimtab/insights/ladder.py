"""What ladders do for those who wait: each route with and without, and what it costs and saves."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from trimtab.insights.latency import TIMED, Percentiles
from trimtab.stats.histogram import LogHistogram
from trimtab.store.protocol import Reader
from trimtab.store.records import GroupSummary, LadderSummary
from trimtab.types.records import Cause

__all__ = ["LadderRow", "Served", "Waited", "ladder_by_route"]

_SUMS: Final = (
    "retries", "fallbacks", "hedges", "hedges_won", "continued", "rescued", "wasted_nanousd",
    "hedge_nanousd", "saved_nanousd",
)  # fmt: skip


class _Names(NamedTuple):
    """Fields of a `LadderSummary`."""

    made: str
    failed: str
    latency: str
    ttft: str


_FIRSTS: Final = _Names("firsts", "first_failed", "first_latency", "first_ttft")
_ATTEMPTS: Final = _Names("attempts", "attempts_failed", "attempt_latency", "attempt_ttft")


class Waited(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, and how often it failed.

    Attributes:
        count: how many ended.
        failed: those that ended in an error or a timeout.
        failed_share: the same as a share of `count`, 0 to 1.
        latency: to the end of the answer.
        ttft: to the first token, of streams.
    """

    count: int
    failed: int
    failed_share: float
    latency: Percentiles
    ttft: Percentiles


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Inferences that were served by attempts of one cause on one rung.

    Attributes:
        ok: those of them that ended well.
        rescued: those that did so after a first attempt that had failed.
        saved_nanousd: what answers from the response cache had cost when they were made.
    """

    cause: Cause
    rung: int
    inferences: int
    ok: int
    rescued: int
    saved_nanousd: int


class LadderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One route. Shares are of 0 to 1, rates are counts over `inferences`, amounts nano-dollars.

    Attributes:
        inferences: how many ended.
        seen: inferences, as their callers saw them.
        first: their first attempts, which is what callers would have seen without a ladder. One
            that was cut at its limit, or because a hedge was faster, counts at that moment: a
            lower bound. Where the response cache answered at once there is none.
        attempts: all physical calls; `all_attempts` tells how long they took, each for itself.
        retries, fallbacks, hedges, continued: calls by their cause.
        hedges_won: inferences whose hedge was faster, or the only one to end well.
        cached, stale: answers from the response cache; stale ones stood in for a failure.
        rescued: inferences that ended well though their first attempt had failed.
        wasted_nanousd: cost of attempts of which the caller saw nothing.
        hedge_nanousd: the part of it that the slower ones of hedged attempts cost.
        saved_nanousd: what answers from the response cache had cost when they were made.
        cost_nanousd: of all attempts.
        cached_token_share: input tokens that came from the prompt caches of providers, as a share
            of all; None without input.
        served: by cause and rung, those of first attempts left out.
    """

    route: str
    inferences: int
    seen: Waited
    first: Waited
    all_attempts: Waited
    attempts: int
    attempts_per_inference: float
    retries: int
    retry_rate: float
    fallbacks: int
    fallback_rate: float
    hedges: int
    hedge_rate: float
    hedges_won: int
    hedges_won_rate: float
    continued: int
    continue_rate: float
    cached: int
    cache_rate: float
    stale: int
    stale_rate: float
    rescued: int
    wasted_nanousd: int
    hedge_nanousd: int
    saved_nanousd: int
    cost_nanousd: int
    cached_token_share: float | None
    served: list[Served]

    @property
    def used(self) -> bool:
        """The ladder did something: an attempt beyond the first, or an answer from the cache."""
        return bool(self.served) or self.attempts != self.inferences


def ladder_by_route(reader: Reader, since_ns: int, until_ns: int) -> list[LadderRow]:
    """Each route between two UTC times in nanoseconds, the busiest first."""
    laddered: defaultdict[str, list[LadderSummary]] = defaultdict(list)
    # In this order: what ends in between is then in the second answer only, and nothing is
    # taken away that was never counted.
    for part in reader.ladders(since_ns, until_ns):
        laddered[part.route].append(part)
    groups = reader.usage_by("route", since_ns, until_ns, measures=TIMED)
    rows = [_row(group, laddered[group.value]) for group in groups if group.requests]
    return sorted(rows, key=lambda row: (-row.inferences, row.route))


def _row(group: GroupSummary, parts: Sequence[LadderSummary]) -> LadderRow:
    total = group.requests
    sums = {name: _sum(parts, name) for name in _SUMS}
    attempts = total - _sum(parts, "inferences") + _sum(parts, "attempts")
    cached, stale = (
        sum(part.inferences for part in parts if part.cause == cause)
        for cause in ("cache", "stale")
    )
    return LadderRow(
        route=group.value,
        inferences=total,
        seen=_seen(group),
        first=_instead(group, parts, first_only=True),
        all_attempts=_instead(group, parts, first_only=False),
        attempts=attempts,
        attempts_per_inference=attempts / total,
        retry_rate=sums["retries"] / total,
        fallback_rate=sums["fallbacks"] / total,
        hedge_rate=sums["hedges"] / total,
        hedges_won_rate=sums["hedges_won"] / total,
        continue_rate=sums["continued"] / total,
        cached=cached,
        cache_rate=cached / total,
        stale=stale,
        stale_rate=stale / total,
        cost_nanousd=group.cost_nanousd,
        cached_token_share=(
            group.cache_read_tokens / group.input_tokens if group.input_tokens else None
        ),
        served=[_served(part) for part in parts if part.cause != "first"],
        **sums,
    )


def _sum(parts: Sequence[LadderSummary], name: str) -> int:
    return sum(getattr(part, name) for part in parts)


def _seen(group: GroupSummary) -> Waited:
    failed = group.errors + group.timeouts
    return Waited(
        count=group.requests,
        failed=failed,
        failed_share=failed / group.requests,
        latency=Percentiles.of(group.latency_histogram, group.latency_max_us),
        ttft=Percentiles.of(group.ttft_histogram, group.ttft_max_us),
    )


def _instead(group: GroupSummary, parts: Sequence[LadderSummary], *, first_only: bool) -> Waited:
    """The same with each inference that the ladder did something for replaced by its attempts."""
    if not parts:
        return _seen(group)
    names = _FIRSTS if first_only else _ATTEMPTS
    count = group.requests - _sum(parts, "inferences") + _sum(parts, names.made)
    failed = group.errors + group.timeouts - _sum(parts, "failed") + _sum(parts, names.failed)
    latency, ttft = group.latency_histogram, group.ttft_histogram
    for part in parts:
        latency, ttft = latency.without(part.inference_latency), ttft.without(part.inference_ttft)
    for part in parts:
        latency.merge(getattr(part, names.latency))
        ttft.merge(getattr(part, names.ttft))
    return Waited(
        count=count,
        failed=failed,
        failed_share=failed / count if count else 0.0,
        latency=_percentiles(latency, group.latency_max_us),
        ttft=_percentiles(ttft, group.ttft_max_us),
    )


def _percentiles(histogram: LogHistogram, seen_max_us: int) -> Percentiles:
    """With a maximum within 1 %, for that of what is left after a subtraction is not known.

    Where it lies in the bucket of the greatest that was seen, it is taken to be that one, so that
    two equal tails have equal figures.
    """
    buckets = histogram.buckets()
    if buckets and max(buckets) == LogHistogram.bucket_of(seen_max_us):
        return Percentiles.of(histogram, seen_max_us)
    return Percentiles.of(histogram, round(histogram.percentile(1) or 0))


def _served(part: LadderSummary) -> Served:
    return Served(
        cause=part.cause,
        rung=part.rung,
        inferences=part.inferences,
        ok=part.ok,
        rescued=part.rescued,
        saved_nanousd=part.saved_nanousd,
    )
