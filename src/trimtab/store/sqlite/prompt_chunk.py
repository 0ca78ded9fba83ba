"""What inferences of prompts come to, by version, and the adding up of many. Pure.

An inference is told of once it is over. If the loser of a hedge ends after it, its cost is added,
and to the sum alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from operator import add
from typing import Any, Final

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import PromptFacts
from trimtab.store.sqlite.served import (
    ANSWERED_AGAIN,
    SettledAttempt,
    calls_of,
    seen_of,
    served_of,
)
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Arm, Outcome, PromptUse

__all__ = [
    "PROMPT_KEYS",
    "PROMPT_MEASURES",
    "PROMPT_SUMS",
    "PromptChunk",
    "PromptKey",
    "PromptRow",
    "PromptTotal",
]

PROMPT_KEYS: Final = ("prompt", "version", "hash", "arm")
PROMPT_SUMS: Final = (
    "inferences",
    "ok",
    "errors",
    "timeouts",
    "cancelled",
    "cached",
    "form_ok",
    "form_invalid",
    "refused",
    "output_tokens",
    "cost_nanousd",
)
PROMPT_MEASURES: Final = ("cost", "latency", "output")

PromptKey = tuple[str, str, str, Arm]
"""In the order of `PROMPT_KEYS`."""

_Figures = tuple[tuple[int, ...], tuple[int | None, ...]]
"""Sums, and the bucket of each measure that there is anything to say of."""

_HOUR_NS: Final = 3_600 * NS_PER_S
_OUTCOMES: Final[tuple[Outcome, ...]] = ("ok", "error", "timeout", "cancelled")
_ONE_OF: Final[dict[Outcome, tuple[int, ...]]] = {
    outcome: (1, *(int(outcome == other) for other in _OUTCOMES)) for outcome in _OUTCOMES
}
_NOTHING: Final = (0,) * len(PROMPT_SUMS)
_NO_MEASURES: Final = (None,) * len(PROMPT_MEASURES)
# As OpenAI, Anthropic, Zhipu, Bedrock and Gemini call it, in small letters.
_REFUSED: Final = frozenset(
    (
        "content_filter", "refusal", "sensitive", "content_filtered", "guardrail_intervened",
        "safety", "prohibited_content", "blocklist", "spii",
    )
)  # fmt: skip

_bucket_of = LogHistogram.bucket_of


class PromptRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What lies in the tail.

    Attributes:
        start_s: of the hour, in UTC seconds.
        sums: in the order of `PROMPT_SUMS`.
        measures: as `LogHistogram.to_bytes`, in the order of `PROMPT_MEASURES`.
    """

    start_s: int
    key: PromptKey
    sums: tuple[int, ...]
    measures: tuple[bytes, ...]


class PromptChunk:
    """Takes the inferences of a chunk as they end."""

    def __init__(self) -> None:
        self._figures: defaultdict[tuple[int, PromptKey], list[_Figures]] = defaultdict(list)

    def add_last(
        self, settled: Sequence[SettledAttempt], use: PromptUse, *, was_over: bool
    ) -> None:
        """The last of the attempts of an inference that is over.

        Args:
            settled: in the order in which they ended.
            use: its prompt.
            was_over: the inference was over before.
        """
        hour_s = settled[0].intent.started_ns // _HOUR_NS * 3_600
        figures = _later_figures(settled[-1]) if was_over else _figures(settled)
        self._figures[hour_s, (use.id, use.version, use.hash, use.arm)].append(figures)

    def rows(self) -> list[PromptRow]:
        """All of it; of no prompt, none."""
        return [_row_of(hour_s, key, figures) for (hour_s, key), figures in self._figures.items()]


def _figures(settled: Sequence[SettledAttempt]) -> _Figures:
    """Of an inference that is over by the last of its attempts."""
    intent, settle = served_of(settled)
    ok, cached = settle.outcome == "ok", intent.cause in ANSWERED_AGAIN
    cost_nanousd = sum(attempt.settle.cost_nanousd for attempt in settled)
    tokens = _seen_tokens(settled) if ok and not cached else None
    sums = (
        *_ONE_OF[settle.outcome],
        int(ok and cached),
        int(settle.form == "ok"),
        int(settle.form == "invalid"),
        int(tokens is not None and settle.finish_reason.lower() in _REFUSED),
        tokens or 0,
        cost_nanousd,
    )
    return sums, (
        _bucket_of(cost_nanousd) if calls_of(settled) else None,
        None if cached else _bucket_of(settle.latency_us),
        None if tokens is None else _bucket_of(tokens),
    )


def _later_figures(attempt: SettledAttempt) -> _Figures:
    """Of an attempt that ended after its inference."""
    return (*_NOTHING[:-1], attempt.settle.cost_nanousd), _NO_MEASURES


def _seen_tokens(settled: Sequence[SettledAttempt]) -> int:
    if len(settled) == 1:
        return settled[0].settle.usage.output_tokens
    seen = seen_of(settled)
    return sum(a.settle.usage.output_tokens for a in settled if a.intent.attempt in seen)


def _row_of(hour_s: int, key: PromptKey, figures: Sequence[_Figures]) -> PromptRow:
    sums, measures = zip(*figures, strict=True)
    return PromptRow(
        hour_s,
        key,
        tuple(map(sum, zip(*sums, strict=True))),
        tuple(
            LogHistogram(Counter(bucket for bucket in buckets if bucket is not None)).to_bytes()
            for buckets in zip(*measures, strict=True)
        ),
    )


class PromptTotal:
    """What some rows come to."""

    __slots__ = ("_measures", "_sums")

    def __init__(self) -> None:
        self._sums: Sequence[int] = _NOTHING
        self._measures = [LogHistogram() for _ in PROMPT_MEASURES]

    def add_rows(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows, which are not none, of sums and measures."""
        columns = list(zip(*rows, strict=True))
        self._sums = list(map(add, self._sums, map(sum, columns[: len(PROMPT_SUMS)])))
        for histogram, parts in zip(self._measures, columns[len(PROMPT_SUMS) :], strict=True):
            histogram.merge_bytes(*parts)

    def row(self) -> tuple[Any, ...]:
        """Sums and measures, as columns."""
        return (*self._sums, *[part.to_bytes() for part in self._measures])

    def facts(
        self, key: PromptKey, span_ns: tuple[int, int], served_ns: tuple[int, int]
    ) -> PromptFacts:
        """The total as an answer: of which range, and the first and the last day in it."""
        names = (*PROMPT_KEYS, *PROMPT_SUMS, *(f"{name}_histogram" for name in PROMPT_MEASURES))
        found: dict[str, Any] = dict(zip(names, (*key, *self._sums, *self._measures), strict=True))
        return PromptFacts(
            since_ns=span_ns[0],
            until_ns=span_ns[1],
            first_ns=served_ns[0],
            last_ns=served_ns[1],
            **found,
        )
