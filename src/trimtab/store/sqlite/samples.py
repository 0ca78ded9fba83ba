"""What one settle adds to the rollups, and the adding up of many. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import add
from typing import Any, Final

import msgspec

from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import Dimension, GroupSummary

__all__ = [
    "MAXIMA",
    "MEASURES",
    "SUMS",
    "Measures",
    "Sample",
    "Total",
    "by_value",
    "decode_samples",
    "encode_samples",
    "value_of",
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
MEASURES: Final = ("latency", "ttft", "cost")
_COST: Final = SUMS.index("cost_nanousd")
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
        return self.sums[_COST]


encode_samples = msgspec.msgpack.Encoder().encode
decode_samples = msgspec.msgpack.Decoder(list[Sample]).decode


def value_of(sample: Sample, dimension: Dimension) -> str | None:
    """Which value of a dimension a sample belongs to; None for a key or team that is not known."""
    match dimension:
        case "total":
            return ""
        case "route":
            return sample.route
        case "model":
            return sample.model
        case "user":
            return sample.user
        case "key":
            return sample.key or None
        case "team":
            return sample.team or None


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
        return self._sums[_COST]

    def add_samples(self, samples: Sequence[Sample]) -> None:
        """Count `samples`, which are not none."""
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

    def add_row(self, row: Sequence[Any]) -> None:
        """Add the columns of a row: sums, maxima and, if there are any, measures."""
        self._sums = list(map(add, self._sums, row))
        self._maxima = list(map(max, self._maxima, row[len(SUMS) : _MEASURES_AT]))
        for histogram, blob in zip(self._measures, row[_MEASURES_AT:], strict=False):
            histogram.merge_bytes(blob)

    def add(self, other: "Total") -> None:
        """Add another total."""
        self._sums = list(map(add, self._sums, other._sums))  # noqa: SLF001 - of the same class
        self._maxima = list(map(max, self._maxima, other._maxima))  # noqa: SLF001
        for mine, theirs in zip(self._measures, other._measures, strict=True):  # noqa: SLF001
            mine.merge(theirs)

    def row(self) -> tuple[Any, ...]:
        """Sums, maxima and measures, as columns."""
        return (*self._sums, *self._maxima, *[part.to_bytes() for part in self._measures])

    def summary(
        self, value: str, since_ns: int, until_ns: int, *, histograms: bool = True
    ) -> GroupSummary:
        """The total as an answer; without `histograms` they are left empty."""
        names = (*SUMS, *MAXIMA, *(f"{name}_histogram" for name in MEASURES))
        measures = self._measures if histograms else [LogHistogram() for _ in MEASURES]
        found = dict(zip(names, (*self._sums, *self._maxima, *measures), strict=True))
        return GroupSummary(value=value, since_ns=since_ns, until_ns=until_ns, **found)  # pyright: ignore[reportArgumentType] - the names are the fields, a test holds them together


def by_value(samples: Iterable[Sample], dimension: Dimension) -> dict[str, list[Sample]]:
    """Samples by their value of a dimension."""
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        value = value_of(sample, dimension)
        if value is not None:
            found.setdefault(value, []).append(sample)
    return found
