"""What a gate will be able to tell, said before anything is spent."""

from collections.abc import Sequence
from math import log
from typing import Final, NamedTuple

import numpy as np

from trimtab.evals.compare import Frame, margin_of, measured_rows
from trimtab.evals.gate import primary_metrics
from trimtab.evals.scores import NOT_APPLICABLE, MetricScores
from trimtab.stats.gate_power import Design, detects, gate_power
from trimtab.stats.power import MILLER, Spread, spread_of_one, spread_of_two
from trimtab.stats.units import Floats, keep, unit_sums

__all__ = ["GridCell", "Outlook", "grid_of", "outlooks"]

_AMOUNT_SPREAD: Final = Spread(0.0, 0.04, 0.04)
"""Of logarithms: answers of a provider vary by about 20 %."""
_CASES: Final = (50, 100, 200, 400)
_REPEATS: Final = (1, 3, 5, 10)


class Outlook(NamedTuple):
    """One metric.

    Attributes:
        metric: its name.
        margin: how much worse is good enough.
        passes: probability that a candidate which is no worse passes.
        detects: the smallest drop that fails with probability 0.8; None where none does.
        known: the spread was seen in earlier answers to this suite; else it is supposed.
    """

    metric: str
    margin: float
    passes: float
    detects: float | None
    known: bool


class GridCell(NamedTuple):
    """What a gate with other numbers could tell of a metric.

    Attributes:
        metric, margin, passes, detects, known: as of `Outlook`.
        cases, repeats: the numbers.
        is_now: the suite has so many cases to which the metric applies.
    """

    metric: str
    margin: float
    cases: int
    repeats: int
    passes: float
    detects: float | None
    known: bool
    is_now: bool


def grid_of(metrics: Sequence[MetricScores], frame: Frame) -> list[GridCell]:
    """Numbers of cases and repeats around those of the suite, for each metric that decides."""
    cells: list[GridCell] = []
    for name in primary_metrics(metrics, frame.policy):
        found = next((one for one in metrics if one.metric == name), None)
        if found is None or frame.advisory.get(name):
            continue
        now = _design(found, None, frame, repeats=1)
        for cases in sorted({now.cases, *_CASES}):
            for repeats in _REPEATS:
                design = now._replace(cases=cases, repeats=repeats)
                margin = margin_of(found.metric, found.kind, frame.policy)
                cells.append(
                    GridCell(
                        name,
                        margin,
                        cases,
                        repeats,
                        gate_power(design).passes,
                        detects(design),
                        known=_seen(found, None) is not None,
                        is_now=cases == now.cases,
                    )
                )
    return cells


def outlooks(
    candidate: Sequence[MetricScores],
    baseline: Sequence[MetricScores],
    frame: Frame,
    *,
    repeats: int,
) -> list[Outlook]:
    """Of each metric that decides.

    Args:
        candidate: what is known of it so far; perhaps nothing is measured yet.
        baseline: the same; empty for a run of one.
        frame: cases and policy.
        repeats: planned, of each case.
    """
    old = {one.metric: one for one in baseline}
    known = {one.metric: one for one in candidate}
    return [
        _outlook(known[name], old.get(name), frame, repeats=repeats)
        for name in primary_metrics(candidate, frame.policy)
        if name in known and not frame.advisory.get(name)
    ]


def _outlook(new: MetricScores, old: MetricScores | None, frame: Frame, *, repeats: int) -> Outlook:
    margin = margin_of(new.metric, new.kind, frame.policy)
    design = _design(new, old, frame, repeats=repeats)
    known = _seen(new, old) is not None
    return Outlook(new.metric, margin, gate_power(design).passes, detects(design), known)


def _design(new: MetricScores, old: MetricScores | None, frame: Frame, *, repeats: int) -> Design:
    margin = margin_of(new.metric, new.kind, frame.policy)
    supposed = _AMOUNT_SPREAD if new.kind == "amount" else MILLER
    applies = ~(new.status == NOT_APPLICABLE).any(axis=1)
    units = unit_sums(np.ones(int(applies.sum())), keep(frame.clusters, applies))
    return Design(
        cases=len(units.sums),
        repeats=repeats,
        spread=_seen(new, old) or supposed,
        margin=log(margin) if new.kind == "amount" else margin,
        counted=new.kind in {"rate", "preference"},
        alpha=frame.policy.alpha,
    )


def _seen(new: MetricScores, old: MetricScores | None) -> Spread | None:
    """The spread of earlier answers: of both setups, else of the one that has some."""
    sides = [_rows(one) for one in (new, old) if one is not None]
    if len(sides) == 2:
        try:
            return spread_of_two(sides[0], sides[1])
        except ValueError:
            pass  # nothing in common yet
    for rows in reversed(sides):
        try:
            return spread_of_one(rows)
        except ValueError:
            continue
    return None


def _rows(scores: MetricScores) -> Floats:
    rows = measured_rows(scores)
    return np.log(rows) if scores.kind == "amount" else rows
