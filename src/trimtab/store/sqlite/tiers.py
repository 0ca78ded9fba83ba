"""Rollups: which rows a sample adds to, and which rows make up a range. Pure.

A row holds one value of one dimension for a minute, a quarter of an hour, an hour or a day. The
first two are kept for the few values of total, route and model. Users, keys and teams are many:
they start at the hour, and have rows by day once a day is *closed*, because to rewrite a day's row
with each of its inferences would be most of the work.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from trimtab.store.records import Dimension
from trimtab.store.sqlite.samples import MAXIMA, MEASURES, SUMS, Sample, Total, by_value

__all__ = [
    "DAY_S",
    "HOUR_S",
    "MANY",
    "ROLLUP_COLUMNS",
    "Span",
    "apart",
    "cover",
    "finest_s",
    "rows_of",
    "start_of",
    "tiers_of_step",
]

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
_QUARTER_S: Final = 900
MANY: Final[tuple[Dimension, ...]] = ("user", "key", "team")
ROLLUP_COLUMNS: Final = ("tier_s", "dimension", "start_s", "value", *SUMS, *MAXIMA, *MEASURES)

_TIERS: Final[dict[Dimension, tuple[int, ...]]] = {
    "total": (DAY_S, HOUR_S, _QUARTER_S, 60),
    "route": (DAY_S, HOUR_S, _QUARTER_S, 60),
    "model": (DAY_S, HOUR_S, _QUARTER_S, 60),
    "user": (DAY_S, HOUR_S),
    "key": (DAY_S, HOUR_S),
    "team": (DAY_S, HOUR_S),
}


class Span(NamedTuple):
    """Rows of one tier that start at `since_s` or later and before `until_s`."""

    tier_s: int
    since_s: int
    until_s: int


def finest_s(dimension: Dimension) -> int:
    """Seconds that the smallest rows of a dimension cover."""
    return _TIERS[dimension][-1]


def start_of(started_s: int, tier_s: int) -> int:
    """When the row begins that a second belongs to."""
    return started_s - started_s % tier_s


def tiers_of_step(dimension: Dimension, step_s: int) -> tuple[int, ...]:
    """The tiers of whose rows a whole number makes up `step_s`, the coarsest first."""
    if step_s <= 0:
        return ()
    return tuple(tier_s for tier_s in _TIERS[dimension] if step_s % tier_s == 0)


def cover(
    dimension: Dimension,
    since_s: int,
    until_s: int,
    *,
    closed: Collection[int],
    tiers: Sequence[int] | None = None,
) -> list[Span]:
    """The fewest rows that make up a range whose ends are multiples of the finest tier.

    Args:
        dimension: what the rows are of.
        since_s: UTC seconds.
        until_s: UTC seconds, excluded.
        closed: starts of the closed days.
        tiers: those to use, the coarsest first; all of the dimension if None.
    """
    spans = _cover(tiers or _TIERS[dimension], since_s, until_s)
    if dimension not in MANY:
        return list(spans)
    return [part for span in spans for part in _where_closed(span, closed)]


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


def _where_closed(span: Span, closed: Collection[int]) -> Iterator[Span]:
    """Days by day where they are closed, else by hour; neighbours of a kind together."""
    if span.tier_s != DAY_S:
        yield span
        return
    at_s = span.since_s
    for day_s in sorted(day_s for day_s in closed if span.since_s <= day_s < span.until_s):
        if at_s < day_s:
            yield Span(HOUR_S, at_s, day_s)
        yield Span(DAY_S, day_s, day_s + DAY_S)
        at_s = day_s + DAY_S
    if at_s < span.until_s:
        yield Span(HOUR_S, at_s, span.until_s)


def apart(spans: Sequence[Span], closed: Collection[int]) -> tuple[list[Span], list[Span]]:
    """The whole closed days of some spans, day by day, and what is left of the spans."""
    whole: list[Span] = []
    left: list[Span] = []
    for tier_s, since_s, until_s in spans:
        at_s = since_s
        for day_s in range(-(-since_s // DAY_S) * DAY_S, until_s - DAY_S + 1, DAY_S):
            if day_s not in closed:
                continue
            if at_s < day_s:
                left.append(Span(tier_s, at_s, day_s))
            at_s = day_s + DAY_S
            whole.append(Span(tier_s, day_s, at_s))
        if at_s < until_s:
            left.append(Span(tier_s, at_s, until_s))
    return whole, left


def rows_of(samples: Sequence[Sample], *, closed: Collection[int]) -> Iterator[tuple[Any, ...]]:
    """Rows for the table `rollups`, one for each place that any of `samples` adds to."""
    of_all: dict[int, dict[int, Total]] = {}
    for dimension, tiers in _TIERS.items():
        finest, *coarser = reversed(tiers)
        for value, there in by_value(samples, dimension).items():
            if len(there) < len(samples):
                totals = _by_start(there, finest)
            else:  # the only route, model, or user: the same totals again
                totals = of_all.get(finest) or _of_all(samples, finest, of_all)
                of_all[finest] = totals
            yield from _rows((finest, dimension, value), totals)
            for tier_s in coarser:
                if dimension in MANY:
                    totals = {
                        at_s: total
                        for at_s, total in totals.items()
                        if start_of(at_s, tier_s) in closed
                    }
                totals = _coarsened(totals, tier_s)
                yield from _rows((tier_s, dimension, value), totals)


def _of_all(
    samples: Sequence[Sample], tier_s: int, finer: dict[int, dict[int, Total]]
) -> dict[int, Total]:
    """Totals of all samples, from those of a finer tier if they are there."""
    for totals in finer.values():
        return _coarsened(totals, tier_s)
    return _by_start(samples, tier_s)


def _by_start(samples: Sequence[Sample], tier_s: int) -> dict[int, Total]:
    there: defaultdict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        started_s = sample.started_s
        there[started_s - started_s % tier_s].append(sample)
    totals: dict[int, Total] = {}
    for start_s, few in there.items():
        totals[start_s] = Total()
        totals[start_s].add_samples(few)
    return totals


def _coarsened(totals: dict[int, Total], tier_s: int) -> dict[int, Total]:
    found: defaultdict[int, Total] = defaultdict(Total)
    for start_s, total in totals.items():
        found[start_of(start_s, tier_s)].add(total)
    return found


def _rows(place: tuple[int, Dimension, str], totals: dict[int, Total]) -> Iterator[tuple[Any, ...]]:
    tier_s, dimension, value = place
    for start_s, total in totals.items():
        yield (tier_s, dimension, start_s, value, *total.row())
