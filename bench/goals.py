"""The goals of the design, each beside what was measured."""

from collections.abc import Callable
from typing import NamedTuple

from bench.contenders import LITELLM, NGINX, OURS, PORTKEY, SMG
from bench.loads import STREAMS, STREAMS_256, THINKING, WHOLE, Load
from bench.results import (
    MEMORY_ANSWERS,
    Metric,
    Results,
    Spread,
    added,
    cpu_per_frame,
    cpu_per_request,
    first_p50,
    first_p99,
    ratio,
    spread,
    total_p50,
    values,
)

__all__ = ["GOALS", "Goal", "Outcome"]

_Measure = Callable[[Results], Spread | None]
_Take = Callable[[Results, str], Spread | None]


class Outcome(NamedTuple):
    """What one goal came to. `other` is the peer's own figure, where the goal names a peer."""

    figure: Spread | None
    ours: Spread | None
    other: Spread | None
    litellm: Spread | None
    reached: bool | None


class Goal(NamedTuple):
    """A figure and its bound; `peer` is whose name stands in it."""

    title: str
    unit: str  # of the figures of ours and the others; the goal's own is that or a ratio
    bound: float
    at_least: bool
    measure: _Measure
    take: _Take
    peer: str = ""

    def outcome(self, results: Results) -> Outcome:
        """Compare it with a run."""
        figure = self.measure(results)
        reached = None
        if figure is not None:
            above = figure.median >= self.bound
            reached = above if self.at_least else figure.median <= self.bound
        return Outcome(
            figure,
            self.take(results, OURS),
            self.take(results, self.peer) if self.peer else None,
            self.take(results, LITELLM),
            reached,
        )


def _of(load: Load, metric: Metric) -> _Take:
    return lambda results, name: values(results, name, metric, load=load)


def _added(load: Load, metric: Metric) -> _Take:
    return lambda results, name: added(results, name, metric, load=load)


def _start(results: Results, name: str) -> Spread | None:
    return spread(results.starts_s.get(name, []))


def _memory(results: Results, name: str) -> Spread | None:
    seen = results.memory_mb.get(name, [])
    return spread([seen[-1][1]]) if len(seen) > 1 else None


def _memory_of_all(results: Results) -> Spread | None:
    seen = results.memory_mb.get(OURS, [])
    return spread([size for count, size in seen if count >= MEMORY_ANSWERS[-1]][:1])


def _ratio(pair: tuple[str, str], metric: Metric, load: Load) -> _Measure:
    def measure(results: Results) -> Spread | None:
        return ratio(results, pair, metric, load=load)

    return measure


def _added_ratio(pair: tuple[str, str], metric: Metric, load: Load) -> _Measure:
    def measure(results: Results) -> Spread | None:
        return ratio(results, pair, metric, load=load, over_direct=True)

    return measure


def _ours(take: _Take) -> _Measure:
    return lambda results: take(results, OURS)


def _ratio_goal(
    title: str, load: Load, metric: Metric, *, pair: tuple[str, str], bound: float
) -> Goal:
    peer = pair[1] if pair[0] == OURS else pair[0]
    return Goal(
        title=title,
        unit="us",
        bound=bound,
        at_least=pair[1] == OURS,
        measure=_ratio(pair, metric, load),
        take=_of(load, metric),
        peer=peer,
    )


_REQUEST = "CPU per request, 32 connections"
_FRAME = "CPU per frame, 256 streams"
_FIRST = "added time to first token, 16 streams"

GOALS = (
    _ratio_goal(
        f"{_REQUEST}, LiteLLM / ours", WHOLE, cpu_per_request, pair=(LITELLM, OURS), bound=200
    ),
    _ratio_goal(
        f"{_REQUEST}, Portkey / ours", WHOLE, cpu_per_request, pair=(PORTKEY, OURS), bound=25
    ),
    _ratio_goal(f"{_REQUEST}, smg / ours", WHOLE, cpu_per_request, pair=(SMG, OURS), bound=2),
    _ratio_goal(f"{_REQUEST}, ours / nginx", WHOLE, cpu_per_request, pair=(OURS, NGINX), bound=4),
    _ratio_goal(
        f"{_FRAME}, LiteLLM / ours", STREAMS_256, cpu_per_frame, pair=(LITELLM, OURS), bound=40
    ),
    _ratio_goal(
        f"{_FRAME}, ours / nginx", STREAMS_256, cpu_per_frame, pair=(OURS, NGINX), bound=1.5
    ),
    Goal(
        title="added P50, sequential, provider takes 100 ms, LiteLLM / ours",
        unit="ms",
        bound=100,
        at_least=True,
        measure=_added_ratio((LITELLM, OURS), total_p50, THINKING),
        take=_added(THINKING, total_p50),
        peer=LITELLM,
    ),
    Goal(
        title=f"{_FIRST}, P50",
        unit="ms",
        bound=0.5,
        at_least=False,
        measure=_ours(_added(STREAMS, first_p50)),
        take=_added(STREAMS, first_p50),
    ),
    Goal(
        title=f"{_FIRST}, P99",
        unit="ms",
        bound=3,
        at_least=False,
        measure=_ours(_added(STREAMS, first_p99)),
        take=_added(STREAMS, first_p99),
    ),
    Goal(
        title="memory after 100,000 requests",
        unit="MB",
        bound=80,
        at_least=False,
        measure=_memory_of_all,
        take=_memory,
    ),
    Goal(
        title="start to first answer",
        unit="s",
        bound=0.6,
        at_least=False,
        measure=_ours(_start),
        take=_start,
    ),
)
