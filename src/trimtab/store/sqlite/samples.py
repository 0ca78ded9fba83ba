"""What one settle adds to the rollups, and the adding up of many. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from operator import add, attrgetter
from typing import Any, Final

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import Dimension, GroupSummary, Measure
from trimtab.types.records import Outcome

__all__ = [
    "COST",
    "MAXIMA",
    "MEASURES",
    "ONE_OF",
    "SUMS",
    "Measures",
    "NewSample",
    "Sample",
    "Total",
    "by_value",
    "decode_samples",
    "encode_samples",
]

SUMS: Final = (
    "requests",
    "ok",
    "errors",
    "timeouts",
    "cancelled",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_nanousd",
    "estimated_nanousd",
)
MAXIMA: Final = ("latency_max_us", "ttft_max_us")
MEASURES: Final[tuple[Measure, ...]] = ("latency", "ttft", "cost")
_OUTCOMES: Final[tuple[Outcome, ...]] = ("ok", "error", "timeout", "cancelled")
ONE_OF: Final[dict[Outcome, tuple[int, ...]]] = {
    outcome: (1, *(int(outcome == other) for other in _OUTCOMES)) for outcome in _OUTCOMES
}
"""The counts of an inference, with which `SUMS` begin, by its outcome."""

COST: Final = SUMS.index("cost_nanousd")
_FEW: Final = 6  # from here on it is faster to add up column by column
_MEASURES_AT: Final = len(SUMS) + len(MAXIMA)


class Measures(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of one inference, as values and as buckets of a `LogHistogram`.

    Attributes:
        latency_us: microseconds until it was over.
        ttft_us: microseconds to the first token; 0 where nothing was streamed.
        ttft_bucket: None where nothing was streamed.
        cost_bucket: of its cost in nano-dollars, all attempts together.
    """

    latency_us: int
    latency_bucket: int
    ttft_us: int
    ttft_bucket: int | None
    cost_bucket: int


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one settle adds to the rollups.

    Attributes:
        sums: in the order of `SUMS`; counts are 0 for an attempt that another one follows.
        measures: of the whole inference; None for an attempt that another one follows.
    """

    started_s: int
    route: str
    model: str
    user: str
    key: str
    team: str
    sums: tuple[int, ...]
    measures: Measures | None

    @property
    def cost_nanousd(self) -> int:
        """Of the attempt."""
        return self.sums[COST]


NewSample = tuple[
    int, str, str, str, str, str, tuple[int, ...], tuple[int, int, int, int | None, int] | None
]
"""A `Sample` with its `Measures` that is only to be encoded: bare tuples, which give the same."""

encode_samples: Final[Callable[[list[NewSample]], bytes]] = msgspec.msgpack.Encoder().encode
decode_samples = msgspec.msgpack.Decoder(list[Sample]).decode


_VALUES: Final[dict[Dimension, Callable[[Sample], str]]] = {
    "route": attrgetter("route"),
    "model": attrgetter("model"),
    "user": attrgetter("user"),
    "key": attrgetter("key"),
    "team": attrgetter("team"),
}
_MAY_BE_UNKNOWN: Final[tuple[Dimension, ...]] = ("key", "team")


def by_value(samples: Sequence[Sample], dimension: Dimension) -> dict[str, list[Sample]]:
    """Samples by their value of a dimension, without those whose key or team is not known."""
    if dimension == "total":
        return {"": list(samples)} if samples else {}
    value_of = _VALUES[dimension]
    found: defaultdict[str, list[Sample]] = defaultdict(list)
    values = set(map(value_of, samples))
    if len(values) == 1:
        found[values.pop()] = list(samples)
    else:
        for sample in samples:
            found[value_of(sample)].append(sample)
    if dimension in _MAY_BE_UNKNOWN:
        found.pop("", None)
    return found


class Total:
    """What some samples and rows come to."""

    __slots__ = ("_maxima", "_measures", "_sums")

    def __init__(self) -> None:
        self._sums: Sequence[int] = (0,) * len(SUMS)
        self._maxima: Sequence[int] = (0,) * len(MAXIMA)
        self._measures = [LogHistogram() for _ in MEASURES]

    @property
    def cost_nanousd(self) -> int:
        """Of all."""
        return self._sums[COST]

    def add_samples(self, samples: Sequence[Sample]) -> None:
        """Count `samples`, which are not none."""
        if len(samples) <= _FEW:
            for sample in samples:
                self._add_sample(sample)
            return
        measures = [sample.measures for sample in samples if sample.measures is not None]
        sums = map(sum, zip(*[sample.sums for sample in samples], strict=True))
        self._sums = list(map(add, self._sums, sums))
        if not measures:
            return
        self._maxima = (
            max(self._maxima[0], *[measure.latency_us for measure in measures]),
            max(self._maxima[1], *[measure.ttft_us for measure in measures]),
        )
        latency, ttft, cost = self._measures
        latency.merge_counts(Counter([measure.latency_bucket for measure in measures]))
        ttft.merge_counts(Counter([m.ttft_bucket for m in measures if m.ttft_bucket is not None]))
        cost.merge_counts(Counter([measure.cost_bucket for measure in measures]))

    def _add_sample(self, sample: Sample) -> None:
        self._sums = list(map(add, self._sums, sample.sums))
        measures = sample.measures
        if measures is None:
            return
        self._maxima = (
            max(self._maxima[0], measures.latency_us),
            max(self._maxima[1], measures.ttft_us),
        )
        latency, ttft, cost = self._measures
        latency.add_bucket(measures.latency_bucket)
        if measures.ttft_bucket is not None:
            ttft.add_bucket(measures.ttft_bucket)
        cost.add_bucket(measures.cost_bucket)

    def add_rows(
        self, rows: Sequence[Sequence[Any]], measures: Collection[Measure] = MEASURES
    ) -> None:
        """Add rows, which are not none: sums, maxima, measures, and columns that say nothing here.

        Measures other than those of `measures` are left out.
        """
        columns = list(zip(*rows, strict=True))
        self._sums = list(map(add, self._sums, map(sum, columns[: len(SUMS)])))
        maxima = map(max, columns[len(SUMS) : _MEASURES_AT])
        self._maxima = list(map(max, self._maxima, maxima))
        for at, name in enumerate(MEASURES):
            if name in measures:
                self._measures[at].merge_bytes(*columns[_MEASURES_AT + at])

    def add(self, other: "Total") -> None:
        """Add another total."""
        self._sums = list(map(add, self._sums, other._sums))  # noqa: SLF001 - of the same class
        self._maxima = list(map(max, self._maxima, other._maxima))  # noqa: SLF001
        for mine, theirs in zip(self._measures, other._measures, strict=True):  # noqa: SLF001
            mine.merge(theirs)

    def pack(self) -> None:
        """Bring the histograms into their compact form, which is that of their bytes."""
        self._measures = [LogHistogram.from_bytes(part.to_bytes()) for part in self._measures]

    def row(self) -> tuple[Any, ...]:
        """Sums, maxima and measures, as columns."""
        return (*self._sums, *self._maxima, *[part.to_bytes() for part in self._measures])

    def summary(
        self, value: str, span_ns: tuple[int, int], measures: Collection[Measure] = MEASURES
    ) -> GroupSummary:
        """The total as an answer; histograms of other measures are left empty."""
        names = (*SUMS, *MAXIMA, *(f"{name}_histogram" for name in MEASURES))
        shown = [
            histogram if name in measures else LogHistogram()
            for name, histogram in zip(MEASURES, self._measures, strict=True)
        ]
        found = dict(zip(names, (*self._sums, *self._maxima, *shown), strict=True))
        return GroupSummary(value=value, since_ns=span_ns[0], until_ns=span_ns[1], **found)  # pyright: ignore[reportArgumentType] - the names are the fields, a test holds them together
