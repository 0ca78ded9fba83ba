"""Rollups: which rows a sample adds to, and which rows make up a range. Pure.

A row holds one value of one dimension for a minute, an hour or a day. Minutes are kept for the
few values of total, route and model; users, keys and teams are many, and start at the hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from trimtab.stats.histogram import LogHistogram
from trimtab.store.records import Dimension
from trimtab.store.sqlite.fold import Sample

__all__ = ["MAXIMA", "MEASURES", "SUMS", "Span", "cover", "finest_s", "merged", "rows_of"]

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

_Place = tuple[int, Dimension, int, str]


class Span(NamedTuple):
    """Rows of one tier that start at `since_s` or later and before `until_s`."""

    tier_s: int
    since_s: int
    until_s: int


def finest_s(dimension: Dimension) -> int:
    """Seconds that the smallest rows of a dimension cover."""
    return _TIERS[dimension][-1]


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


def rows_of(samples: Iterable[Sample]) -> list[tuple[object, ...]]:
    """Rows for the table `rollups`, one for each place that any of `samples` adds to."""
    places: defaultdict[_Place, list[Sample]] = defaultdict(list)
    for sample in samples:
        for place in _places(sample):
            places[place].append(sample)
    return [(*place, *_content(there)) for place, there in places.items()]


def merged(left: bytes, right: bytes) -> bytes:
    """The histogram of both; SQLite calls this to add to a row that is there."""
    histogram = LogHistogram.from_bytes(left)
    histogram.merge(LogHistogram.from_bytes(right))
    return histogram.to_bytes()


def _places(sample: Sample) -> Iterator[_Place]:
    started_s = sample.started_s
    values: tuple[tuple[Dimension, str], ...] = (
        ("total", ""),
        ("route", sample.route),
        ("model", sample.model),
        ("user", sample.user),
        ("key", sample.key),
        ("team", sample.team),
    )
    for dimension, value in values:
        if value or dimension not in {"key", "team"}:  # an open gateway knows neither
            for tier_s in _TIERS[dimension]:
                yield tier_s, dimension, started_s - started_s % tier_s, value


def _content(samples: list[Sample]) -> tuple[object, ...]:
    measures = [sample.measures for sample in samples if sample.measures is not None]
    latency = [measure[0] for measure in measures]
    ttft = [measure[1] for measure in measures if measure[1] is not None]
    cost = [measure[2] for measure in measures]
    return (
        *map(sum, zip(*(sample.sums for sample in samples), strict=True)),
        max(latency, default=0),
        max(ttft, default=0),
        _blob(latency),
        _blob(ttft),
        _blob(cost),
    )


def _blob(values: list[int]) -> bytes:
    histogram = LogHistogram()
    for value in values:
        histogram.add(value)
    return histogram.to_bytes()
