"""Rollups: which rows a sample adds to, and which rows make up a range. Pure.

A row holds one value of one dimension for a minute, an hour or a day. Minutes are kept for the
few values of total, route and model; users, keys and teams are many, and start at the hour.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import add
from typing import Final, NamedTuple, Self

from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import Dimension
from trimtab.store.sqlite.fold import Sample

__all__ = [
    "MAXIMA",
    "MEASURES",
    "SUMS",
    "Span",
    "cover",
    "finest_s",
    "merged",
    "rows_of",
    "tier_of_step",
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

_DAY_AND_HOUR: Final = (86_400, 3_600)
_TO_THE_MINUTE: Final = (86_400, 3_600, 60)
_TIERS: Final[dict[Dimension, tuple[int, ...]]] = {
    "total": _TO_THE_MINUTE,
    "route": _TO_THE_MINUTE,
    "model": _TO_THE_MINUTE,
    "user": _DAY_AND_HOUR,
    "key": _DAY_AND_HOUR,
    "team": _DAY_AND_HOUR,
}


class Span(NamedTuple):
    """Rows of one tier that start at `since_s` or later and before `until_s`."""

    tier_s: int
    since_s: int
    until_s: int


def finest_s(dimension: Dimension) -> int:
    """Seconds that the smallest rows of a dimension cover."""
    return _TIERS[dimension][-1]


def tier_of_step(dimension: Dimension, step_s: int) -> int | None:
    """The largest rows of which a whole number makes up `step_s`, if there are any."""
    return next((tier_s for tier_s in _TIERS[dimension] if step_s % tier_s == 0), None)


def cover(dimension: Dimension, since_s: int, until_s: int) -> list[Span]:
    """The fewest rows that make up a range whose ends are multiples of `finest_s`."""
    return list(_cover(_TIERS[dimension], since_s, until_s))


def _cover(tiers: Sequence[int], since_s: int, until_s: int) -> Iterator[Span]:
    if since_s >= until_s:
        return
    tier_s, finer = tiers[0], tiers[1:]
    first, last = -(-since_s // tier_s) * tier_s, until_s // tier_s * tier_s
    if first < last:
        yield from _cover(finer, since_s, first)
        yield Span(tier_s, first, last)
        yield from _cover(finer, last, until_s)
    else:
        yield from _cover(finer, since_s, until_s)


def rows_of(samples: Iterable[Sample]) -> Iterator[tuple[object, ...]]:
    """Rows for the table `rollups`, one for each place that any of `samples` adds to."""
    for (dimension, value), there in _by_value(samples).items():
        finest, *coarser = reversed(_TIERS[dimension])
        totals = {start: _Total.of(few) for start, few in _by_start(there, finest).items()}
        yield from _rows((finest, dimension, value), totals)
        for tier_s in coarser:
            totals = _coarsened(totals, tier_s)
            yield from _rows((tier_s, dimension, value), totals)


def merged(left: bytes, right: bytes) -> bytes:
    """The histogram of both; SQLite calls this to add to a row that is there."""
    histogram = LogHistogram.from_bytes(left)
    histogram.merge(LogHistogram.from_bytes(right))
    return histogram.to_bytes()


class _Total:
    """What some samples come to: columns in their order, buckets for each measure."""

    def __init__(self, sums: list[int], maxima: list[int], measures: list[Counter[int]]) -> None:
        self.sums = sums
        self.maxima = maxima
        self.measures = measures

    @classmethod
    def of(cls, samples: list[Sample]) -> Self:
        """Add up samples of one place."""
        measures = [sample.measures for sample in samples if sample.measures is not None]
        return cls(
            list(map(sum, zip(*[sample.sums for sample in samples], strict=True))),
            [
                max([measure.latency_us for measure in measures], default=0),
                max([measure.ttft_us for measure in measures], default=0),
            ],
            [
                Counter([measure.latency_bucket for measure in measures]),
                Counter([m.ttft_bucket for m in measures if m.ttft_bucket is not None]),
                Counter([measure.cost_bucket for measure in measures]),
            ],
        )

    def plus(self, other: "_Total") -> "_Total":
        """Both together."""
        return _Total(
            list(map(add, self.sums, other.sums)),
            list(map(max, self.maxima, other.maxima)),
            list(map(add, self.measures, other.measures)),
        )


def _by_value(samples: Iterable[Sample]) -> dict[tuple[Dimension, str], list[Sample]]:
    found: defaultdict[tuple[Dimension, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        found["total", ""].append(sample)
        found["route", sample.route].append(sample)
        found["model", sample.model].append(sample)
        found["user", sample.user].append(sample)
        if sample.key:  # an open gateway knows no keys
            found["key", sample.key].append(sample)
        if sample.team:
            found["team", sample.team].append(sample)
    return found


def _by_start(samples: list[Sample], tier_s: int) -> dict[int, list[Sample]]:
    found: defaultdict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.started_s - sample.started_s % tier_s].append(sample)
    return found


def _coarsened(totals: dict[int, _Total], tier_s: int) -> dict[int, _Total]:
    found: dict[int, _Total] = {}
    for start_s, total in totals.items():
        coarse_s = start_s - start_s % tier_s
        before = found.get(coarse_s)
        found[coarse_s] = total if before is None else before.plus(total)
    return found


def _rows(
    place: tuple[int, Dimension, str], totals: dict[int, _Total]
) -> Iterator[tuple[object, ...]]:
    tier_s, dimension, value = place
    for start_s, total in totals.items():
        blobs = [LogHistogram(buckets).to_bytes() for buckets in total.measures]
        yield (tier_s, dimension, start_s, value, *total.sums, *total.maxima, *blobs)
