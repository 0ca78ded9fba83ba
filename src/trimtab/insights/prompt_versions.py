"""What each version of a prompt did: how often it failed, what it cost, how long it took."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import sqrt
from typing import Final

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.stats.sequential import wilson
from trimtab.store.feedback import FeedbackFacts
from trimtab.store.protocol import Reader
from trimtab.store.records import PromptFacts
from trimtab.types.clock import NS_PER_S
from trimtab.types.feedback import THUMBS
from trimtab.types.records import Arm

__all__ = ["LEAST_FOR_INTERVAL", "Figure", "VersionFigures", "utc_day", "version_report"]

LEAST_FOR_INTERVAL: Final = 30
"""Inferences below which no interval of a mean is told: the large-sample one would be too short."""

_Z: Final = 1.959964  # 95 %
_LATENCIES: Final = (0.5, 0.95)
_US_PER_MS: Final = 1_000


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A share, or a mean, with its 95 % interval.

    Attributes:
        low, high: None where too little is known.
        inferences: that it was estimated from.
    """

    estimate: float
    low: float | None
    high: float | None
    inferences: int


class VersionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a prompt, served for one reason.

    Answers from the response cache are no work of the version: they count as inferences and in
    nothing else. Cancelled inferences say nothing about errors.

    Attributes:
        arm: why it was rendered, so that a canary or a shadow stands beside what is released.
        first_day, last_day: of the range, on which any inference began; UTC.
        inferences: that ended.
        errors: share of errors and timeouts, 0 to 1, with Wilson's interval; None without any
            inference that could tell.
        invalid: share of the answers that were held against a form and do not have it, likewise.
        refused: share of answers that a refusal or a content filter ended, likewise.
        cost_nanousd: of all attempts.
        mean_cost_nanousd: per inference that called a provider. Interval: normal, with the variance
            of the histogram's buckets.
        latency_p50_ms, latency_p95_ms: within 1 %; timeouts count at their deadline.
        mean_output_tokens: of the answers.
        thumbs: share of thumbs up among those that were given in the range, likewise; None where
            nobody said anything.
    """

    prompt: str
    version: str
    hash: str
    arm: Arm
    first_day: str
    last_day: str
    inferences: int
    cached: int
    cancelled: int
    errors: Figure | None
    invalid: Figure | None
    refused: Figure | None
    cost_nanousd: int
    mean_cost_nanousd: Figure | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    mean_output_tokens: float | None
    thumbs: Figure | None = None


def version_report(
    reader: Reader, *, since_ns: int, until_ns: int, prompt: str | None = None
) -> list[VersionFigures]:
    """Each version that was served between two UTC times, in full hours.

    In order of prompt and of first day.
    """
    found = reader.prompt_facts(since_ns, until_ns, prompt=prompt)
    ordered = sorted(found, key=lambda facts: (facts.prompt, facts.first_ns))
    given: defaultdict[tuple[str, str, str], list[FeedbackFacts]] = defaultdict(list)
    for said in reader.feedback_facts(since_ns, until_ns, prompt=prompt):
        if said.metric == THUMBS and said.boolean:
            given[said.prompt, said.hash, said.arm].append(said)
    return [_figures(facts, given[facts.prompt, facts.hash, facts.arm]) for facts in ordered]


def utc_day(at_ns: int) -> str:
    """The UTC day of a moment, such as `2026-11-23`."""
    return datetime.fromtimestamp(at_ns // NS_PER_S, UTC).date().isoformat()


def _figures(facts: PromptFacts, given: Sequence[FeedbackFacts]) -> VersionFigures:
    judged = facts.inferences - facts.cancelled - facts.cached
    answers, count = facts.output_histogram.count, sum(said.count for said in given)
    latencies = facts.latency_histogram.percentiles(_LATENCIES)
    p50, p95 = (None if us is None else round(us / _US_PER_MS, 3) for us in latencies)
    return VersionFigures(
        prompt=facts.prompt,
        version=facts.version,
        hash=facts.hash,
        arm=facts.arm,
        first_day=utc_day(facts.first_ns),
        last_day=utc_day(facts.last_ns),
        inferences=facts.inferences,
        cached=facts.cached,
        cancelled=facts.cancelled,
        errors=_share(facts.errors + facts.timeouts, judged),
        invalid=_share(facts.form_invalid, facts.form_ok + facts.form_invalid),
        refused=_share(facts.refused, answers),
        cost_nanousd=facts.cost_nanousd,
        mean_cost_nanousd=_mean(facts.cost_nanousd, facts.cost_histogram),
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        mean_output_tokens=facts.output_tokens / answers if answers else None,
        thumbs=_share(count - sum(said.bad for said in given), count),
    )


def _share(hits: int, count: int) -> Figure | None:
    if not count:
        return None
    share, low, high, inferences = wilson(hits, count)
    return Figure(estimate=share, low=low, high=high, inferences=inferences)


def _mean(total: int, histogram: LogHistogram) -> Figure | None:
    """The exact mean; its interval is that of many values, each taken to be 1 % off at most."""
    buckets = histogram.buckets()
    count = sum(buckets.values())
    if not count:
        return None
    mean = total / count
    if count < LEAST_FOR_INTERVAL:
        return Figure(estimate=mean, low=None, high=None, inferences=count)
    half = _Z * sqrt(_variance(buckets, count) / count)
    return Figure(estimate=mean, low=max(mean - half, 0.0), high=mean + half, inferences=count)


def _variance(buckets: Mapping[int, int], count: int) -> float:
    values = {LogHistogram.value_of(index): there for index, there in buckets.items()}
    mean = sum(value * there for value, there in values.items()) / count
    return sum(there * (value - mean) ** 2 for value, there in values.items()) / (count - 1)
