"""What the attempts of an inference come to for its ladder, and the adding up of many. Pure.

An inference is told of here once it is over, and again as the loser of a hedge ends after it: each
time by what is new. The usual inference, of one first attempt, is not told of at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import add, sub
from typing import Any, Final

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import LadderSummary
from trimtab.store.sqlite.served import (
    LOST,
    SettledAttempt,
    calls_of,
    seen_of,
    served_of,
    wasted_nanousd,
)
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Cause

__all__ = [
    "LADDER_KEYS",
    "LADDER_MEASURES",
    "LADDER_SUMS",
    "LadderKey",
    "LadderSample",
    "LadderTotal",
    "ladder_sample",
    "totals_of",
]

LADDER_KEYS: Final = ("route", "cause", "rung")
LADDER_SUMS: Final = (
    "inferences",
    "ok",
    "failed",
    "firsts",
    "first_failed",
    "rescued",
    "attempts",
    "attempts_failed",
    "retries",
    "fallbacks",
    "hedges",
    "hedges_won",
    "continued",
    "wasted_nanousd",
    "hedge_nanousd",
    "saved_nanousd",
)
LADDER_MEASURES: Final = (
    "inference_latency",
    "inference_ttft",
    "first_latency",
    "first_ttft",
    "attempt_latency",
    "attempt_ttft",
)
_NONE: Final = (0,) * len(LADDER_SUMS)
_COUNTED: Final[tuple[Cause, ...]] = ("retry", "fallback", "hedge", "continue")
_FAILURES: Final = ("error", "timeout")

LadderKey = tuple[str, Cause, int]
"""Route, and cause and rung of the attempt that was served."""

_Buckets = tuple[int, int | None]
"""Of a latency and of a time to the first token; None where no token came, or none was streamed."""

_bucket_of = LogHistogram.bucket_of


class LadderSample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the end of an attempt adds.

    Attributes:
        started_s: UTC seconds at which the inference began.
        sums: in the order of `LADDER_SUMS`.
        inferences, firsts, attempts: buckets of what was timed.
    """

    started_s: int
    key: LadderKey
    sums: tuple[int, ...]
    inferences: tuple[_Buckets, ...]
    firsts: tuple[_Buckets, ...]
    attempts: tuple[_Buckets, ...]


def ladder_sample(settled: Sequence[SettledAttempt], *, was_over: bool) -> LadderSample | None:
    """What the last of the settled attempts of an inference that is over adds, if anything.

    Args:
        settled: all of them so far, in the order in which they ended.
        was_over: the inference was over before the last of them.
    """
    now = _sample(settled)
    before = _sample(settled[:-1]) if was_over else None
    if now is None or before is None:
        return now
    return LadderSample(
        now.started_s,
        now.key,
        tuple(map(sub, now.sums, before.sums)),
        now.inferences[len(before.inferences) :],
        now.firsts[len(before.firsts) :],
        now.attempts[len(before.attempts) :],
    )


def _sample(settled: Sequence[SettledAttempt]) -> LadderSample | None:
    """All that there is to tell; None of the usual inference."""
    intent, settle = served_of(settled)
    if len(settled) == 1 and intent.cause == "first":
        return None
    calls = calls_of(settled)
    firsts = [call for call in calls if call.intent.attempt == 1]
    return LadderSample(
        intent.started_ns // NS_PER_S,
        (intent.route, intent.cause, intent.rung),
        _sums(settled, calls, firsts=firsts),
        (_buckets(settle.latency_us, settle.ttft_us),),
        tuple(map(_own_buckets, firsts)),
        tuple(map(_own_buckets, calls)),
    )


def _sums(
    settled: Sequence[SettledAttempt],
    calls: Sequence[SettledAttempt],
    *,
    firsts: Sequence[SettledAttempt],
) -> tuple[int, ...]:
    served = served_of(settled)
    ok, failed = served.settle.outcome == "ok", served.settle.outcome in _FAILURES
    first_failed = sum(1 for call in firsts if call.settle.outcome in _FAILURES)
    retries, fallbacks, hedges, continued = (
        sum(1 for call in calls if call.intent.cause == cause) for cause in _COUNTED
    )
    losers = [call for call in calls if call.settle.error_code == LOST]
    seen = seen_of(settled)
    hedge_seen = any(c.intent.cause == "hedge" and c.intent.attempt in seen for c in calls)
    return (
        1,
        int(ok),
        int(failed),
        len(firsts),
        first_failed,
        int(ok and first_failed > 0),
        len(calls),
        sum(1 for call in calls if call.settle.outcome in _FAILURES),
        retries,
        fallbacks,
        hedges,
        int(hedge_seen and (ok or bool(losers))),
        continued,
        wasted_nanousd(settled),
        sum(loser.settle.cost_nanousd for loser in losers),
        sum(attempt.settle.saved_nanousd for attempt in settled),
    )


def _own_buckets(call: SettledAttempt) -> _Buckets:
    """Of an attempt's own time: from its beginning, not from that of the inference."""
    intent, settle = call
    ttft_us = settle.ttft_us
    if ttft_us is None and intent.streamed and settle.error_code == LOST:
        ttft_us = settle.latency_us  # so long it had shown nothing
    if ttft_us is not None and ttft_us < intent.after_us:
        ttft_us = None  # a continuation: the first token was another attempt's
    return _buckets(
        max(settle.latency_us - intent.after_us, 0),
        None if ttft_us is None else ttft_us - intent.after_us,
    )


def _buckets(latency_us: int, ttft_us: int | None) -> _Buckets:
    return _bucket_of(latency_us), None if ttft_us is None else _bucket_of(ttft_us)


class LadderTotal:
    """What some samples and rows come to."""

    __slots__ = ("_measures", "_sums")

    def __init__(self) -> None:
        self._sums: Sequence[int] = _NONE
        self._measures = [LogHistogram() for _ in LADDER_MEASURES]

    def add_sample(self, sample: LadderSample) -> None:
        """Count a sample."""
        self._sums = list(map(add, self._sums, sample.sums))
        timed = (sample.inferences, sample.firsts, sample.attempts)
        for place, buckets in enumerate(timed):
            latency, ttft = self._measures[2 * place : 2 * place + 2]
            for latency_bucket, ttft_bucket in buckets:
                latency.add_bucket(latency_bucket)
                if ttft_bucket is not None:
                    ttft.add_bucket(ttft_bucket)

    def add_row(self, row: Sequence[Any]) -> None:
        """Add a row of sums and measures."""
        self._sums = list(map(add, self._sums, row[: len(LADDER_SUMS)]))
        for histogram, data in zip(self._measures, row[len(LADDER_SUMS) :], strict=True):
            histogram.merge_bytes(data)

    def row(self) -> tuple[Any, ...]:
        """Sums and measures, as columns."""
        return (*self._sums, *[part.to_bytes() for part in self._measures])

    def summary(self, key: LadderKey) -> LadderSummary:
        """The total as an answer."""
        names = (*LADDER_KEYS, *LADDER_SUMS, *LADDER_MEASURES)
        return LadderSummary(
            **dict(zip(names, (*key, *self._sums, *self._measures), strict=True))  # pyright: ignore[reportArgumentType] - the names are the fields, a test holds them together
        )


def totals_of(
    samples: Iterable[LadderSample], tier_s: int
) -> dict[tuple[int, LadderKey], LadderTotal]:
    """What samples come to, by start of the row of a tier, and key."""
    totals: defaultdict[tuple[int, LadderKey], LadderTotal] = defaultdict(LadderTotal)
    for sample in samples:
        totals[sample.started_s - sample.started_s % tier_s, sample.key].add_sample(sample)
    return totals
