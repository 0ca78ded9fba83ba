"""Figures of the rounds, and what follows from them: medians with their range."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from bench.contenders import DIRECT
from bench.load import Tally
from bench.loads import Load
from bench.provider import FRAMES

__all__ = [
    "MEMORY_ANSWERS",
    "Figures",
    "Metric",
    "Results",
    "Spread",
    "added",
    "cpu_per_frame",
    "cpu_per_request",
    "figures_of",
    "first_p50",
    "first_p99",
    "frames_per_s",
    "ratio",
    "requests_per_s",
    "spread",
    "total_p50",
    "total_p99",
    "values",
]


MEMORY_ANSWERS = (20_000, 100_000)  # the second one for trimtab alone


class Figures(NamedTuple):
    """One load on one contender in one round. `problem` says what it answered instead."""

    answers: int
    seconds: float
    frames: int
    streamed: bool
    total_p50_ms: float
    total_p99_ms: float
    first_p50_ms: float
    first_p99_ms: float
    cpu_us: float | None
    foreign: float = 0.0  # share of the gateway's core that others took
    waited: float = 0.0  # share of the time that the load generator waited for its core
    problem: str | None = None


class Spread(NamedTuple):
    """The median of some rounds and their range."""

    median: float
    low: float
    high: float
    rounds: int


class Results(NamedTuple):
    """All figures of a run: rounds by name of the contender and key of the load."""

    rounds: dict[tuple[str, str], list[Figures]]
    starts_s: dict[str, list[float]]
    memory_mb: dict[str, list[tuple[int, float]]]  # (requests served so far, megabytes)
    absent: dict[str, str]  # name of the contender: why it was not measured


Metric = Callable[[Figures], float | None]


def percentile(ordered: Sequence[float], q: float) -> float:
    """Nearest rank of sorted values."""
    return ordered[max(0, -int(-q * len(ordered) // 1) - 1)]


def figures_of(tally: Tally, *, streamed: bool, cpu_us: float | None) -> Figures:
    """What one tally says, times in milliseconds."""
    total = sorted(tally.total_s) or [0.0]
    first = sorted(tally.first_s) or [0.0]
    problem = tally.problem
    if problem is None and not tally.total_s:
        problem = "no answer in its time"
    return Figures(
        answers=len(tally.total_s),
        seconds=tally.ended_s - tally.begun_s,
        frames=tally.frames,
        streamed=streamed,
        total_p50_ms=percentile(total, 0.5) * 1000,
        total_p99_ms=percentile(total, 0.99) * 1000,
        first_p50_ms=percentile(first, 0.5) * 1000,
        first_p99_ms=percentile(first, 0.99) * 1000,
        cpu_us=cpu_us,
        problem=problem,
    )


def requests_per_s(figures: Figures) -> float:
    """Answers over the time from the first request to the last answer."""
    return figures.answers / figures.seconds


def frames_per_s(figures: Figures) -> float:
    """Frames that reached the callers, over the same time."""
    return figures.frames / figures.seconds


def cpu_per_request(figures: Figures) -> float | None:
    """CPU microseconds of the contender's process tree over answers."""
    return None if figures.cpu_us is None else figures.cpu_us / figures.answers


def cpu_per_frame(figures: Figures) -> float | None:
    """The same over the frames that the provider sent in the answered streams."""
    return None if figures.cpu_us is None else figures.cpu_us / (figures.answers * FRAMES)


def total_p50(figures: Figures) -> float:
    """P50 of the whole answer, milliseconds."""
    return figures.total_p50_ms


def total_p99(figures: Figures) -> float:
    """P99 of the whole answer, milliseconds."""
    return figures.total_p99_ms


def first_p50(figures: Figures) -> float:
    """P50 of the first frame, milliseconds."""
    return figures.first_p50_ms


def first_p99(figures: Figures) -> float:
    """P99 of the first frame, milliseconds."""
    return figures.first_p99_ms


def spread(found: Sequence[float]) -> Spread | None:
    """Median and range; None of nothing."""
    return Spread(median(found), min(found), max(found), len(found)) if found else None


def _rounds(results: Results, name: str, load: Load) -> list[Figures]:
    rounds = results.rounds.get((name, load.key), [])
    return [] if any(figures.problem for figures in rounds) else rounds


def values(results: Results, name: str, metric: Metric, *, load: Load) -> Spread | None:
    """One metric of one contender; None when it was not measured or failed."""
    found = [metric(figures) for figures in _rounds(results, name, load)]
    return spread([value for value in found if value is not None])


def _added_in_rounds(results: Results, name: str, metric: Metric, *, load: Load) -> list[float]:
    pairs = zip(_rounds(results, name, load), _rounds(results, DIRECT, load), strict=False)
    both = [(metric(through), metric(direct)) for through, direct in pairs]
    return [one - other for one, other in both if one is not None and other is not None]


def added(results: Results, name: str, metric: Metric, *, load: Load) -> Spread | None:
    """What the contender adds to the direct call of the same round."""
    return spread(_added_in_rounds(results, name, metric, load=load))


def ratio(
    results: Results,
    pair: tuple[str, str],
    metric: Metric,
    *,
    load: Load,
    over_direct: bool = False,
) -> Spread | None:
    """The first contender's figure over the second's, each of the same round.

    With `over_direct`, of what they add to the direct call. Rounds without a positive divisor are
    below what can be measured and left out.
    """
    if over_direct:
        found = [_added_in_rounds(results, name, metric, load=load) for name in pair]
    else:
        found = [
            [metric(figures) or 0.0 for figures in _rounds(results, name, load)] for name in pair
        ]
    return spread([one / other for one, other in zip(*found, strict=False) if other > 0])
