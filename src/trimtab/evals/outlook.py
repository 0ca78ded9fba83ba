"""What a gate will be able to tell, said before anything is spent."""

from collections.abc import Sequence
from math import exp, floor, log
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from trimtab.evals.compare import margin_of, measured_rows
from trimtab.evals.frame import Frame
from trimtab.evals.gate import primary_metrics
from trimtab.evals.scores import NOT_APPLICABLE, MetricScores
from trimtab.stats.gate_power import Design, detects, gate_power
from trimtab.stats.mean_bounds import cases_to_see
from trimtab.stats.power import MILLER, POWER, Spread, spread_of_one, spread_of_two
from trimtab.stats.units import Floats, Labels, case_scores, keep, unit_sums
from trimtab.types.experiments import MetricKind

__all__ = ["GridCell", "Outlook", "cases_needed", "grid_of", "outlooks"]

_AMOUNT_SPREAD: Final = Spread(0.0, 0.04, 0.04)
"""Of logarithms: answers of a provider vary by about 20 %."""
_CASES: Final = (50, 100, 200, 400)
_REPEATS: Final = (1, 3, 5, 10)
_COUNTED: Final = frozenset(("rate", "preference"))


class Outlook(NamedTuple):
    """One metric.

    Attributes:
        metric, kind: which.
        margin: how much worse is good enough; of amounts a ratio.
        cases: independent ones to which it applies.
        needs: so many at least, or nothing can pass at this margin.
        passes: probability that a candidate which is no worse passes.
        detects: the smallest drop that fails with probability 0.8, of amounts a ratio; None where
            none does.
        known: the spread was seen in earlier answers to this suite; else it is supposed.
    """

    metric: str
    kind: MetricKind
    margin: float
    cases: int
    needs: int
    passes: float
    detects: float | None
    known: bool


class GridCell(NamedTuple):
    """What a gate with other numbers could tell of a metric.

    Attributes:
        metric, kind, margin, cases, needs, passes, detects, known: as of `Outlook`.
        repeats: of each case.
        is_now: the suite has so many cases to which the metric applies.
    """

    metric: str
    kind: MetricKind
    margin: float
    cases: int
    needs: int
    passes: float
    detects: float | None
    known: bool
    repeats: int
    is_now: bool


def grid_of(metrics: Sequence[MetricScores], frame: Frame) -> list[GridCell]:
    """Numbers of cases and repeats around those of the suite, for each metric that decides."""
    cells: list[GridCell] = []
    known = {one.metric: one for one in metrics}
    for name in primary_metrics(metrics, frame):
        found = known.get(name)
        if found is None or frame.advisory.get(name):
            continue
        now = _design(found, None, frame, repeats=1)
        is_seen = _seen(found, None, frame.clusters) is not None
        for cases in sorted({now.cases, *_CASES}):
            for repeats in _REPEATS:
                of_each = now.repeats if found.kind == "preference" else repeats
                design = now._replace(cases=cases, repeats=of_each)
                outlook = _outlook(design, found, frame, known=is_seen)
                is_now = cases == now.cases
                cells.append(GridCell(*outlook, repeats=repeats, is_now=is_now))
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
        _outlook(
            _design(known[name], old.get(name), frame, repeats=repeats),
            known[name],
            frame,
            known=_seen(known[name], old.get(name), frame.clusters) is not None,
        )
        for name in primary_metrics(candidate, frame)
        if name in known and not frame.advisory.get(name)
    ]


def cases_needed(
    margin: float, kind: MetricKind, *, repeats: int, alpha: float, clustered: bool = False
) -> int:
    """Independent cases below which even a candidate that changes nothing cannot pass.

    Args:
        margin: how much worse is good enough; of amounts a ratio.
        kind: of the metric.
        repeats: of each case.
        alpha: one-sided.
        clustered: some cases hang together: clusters are averaged, as repeats are.
    """
    reach = log(margin) if kind == "amount" else margin
    if kind in _COUNTED and repeats == 1 and not clustered:
        # Tango's statistic of no case that differs is sqrt(n m / (1 - m)).
        z = float(ndtri(1 - alpha))
        return floor(z * z * (1 - reach) / reach) + 1
    return cases_to_see(reach, alpha=alpha)


def _outlook(design: Design, of: MetricScores, frame: Frame, *, known: bool) -> Outlook:
    found = _detects(design, of.kind)
    return Outlook(
        metric=of.metric,
        kind=of.kind,
        margin=margin_of(of.metric, of.kind, frame.policy),
        cases=design.cases,
        needs=cases_needed(
            margin_of(of.metric, of.kind, frame.policy),
            of.kind,
            repeats=design.repeats,
            alpha=design.alpha,
            clustered=not design.counted,
        ),
        passes=gate_power(design).passes,
        detects=exp(found) if of.kind == "amount" and found is not None else found,
        known=known,
    )


def _detects(design: Design, kind: MetricKind) -> float | None:
    """The smallest drop that is found, when its own noise is counted in.

    Answers that are wrong now and were right are as random as others: a drop by d adds d (1 - d) to
    the variance of an answer of the candidate.
    """
    if kind not in {"rate", "score"}:
        return detects(design)

    def short(drop: float) -> float:
        spread = design.spread
        noisier = spread._replace(candidate=spread.candidate + drop * (1 - drop))
        return gate_power(design._replace(spread=noisier), change=-drop).fails - POWER

    return brentq(short, 0.0, 1.0, xtol=1e-4) if short(1.0) > 0 else None


def _design(new: MetricScores, old: MetricScores | None, frame: Frame, *, repeats: int) -> Design:
    margin = margin_of(new.metric, new.kind, frame.policy)
    supposed = _AMOUNT_SPREAD if new.kind == "amount" else MILLER
    applies = ~(new.status == NOT_APPLICABLE).any(axis=1)
    units = unit_sums(np.ones(int(applies.sum())), keep(frame.clusters, applies)).sizes
    return Design(
        cases=len(units),
        # However often a case was preferred, it counts as one win or loss.
        repeats=1 if new.kind == "preference" else repeats,
        spread=_seen(new, old, frame.clusters) or supposed,
        margin=log(margin) if new.kind == "amount" else margin,
        counted=new.kind in _COUNTED and bool((units == 1).all()),
        alpha=frame.policy.alpha,
    )


def _seen(new: MetricScores, old: MetricScores | None, clusters: Labels) -> Spread | None:
    """The spread of earlier answers: of both setups, else of the one that has some."""
    if new.kind == "preference":  # one value is of both setups already
        return _seen_preferences(_of_units(np.sign(case_scores(_rows(new)))[:, None], clusters))
    sides = [_of_units(_rows(one), clusters) for one in (new, old) if one is not None]
    if len(sides) == 2:
        try:
            return _at_least(spread_of_two(sides[0], sides[1]), sides[0], new.kind)
        except ValueError:
            pass  # nothing in common yet
    for rows in reversed(sides):
        try:
            return _at_least(spread_of_one(rows), rows, new.kind)
        except ValueError:
            continue
    return None


def _seen_preferences(rows: Floats) -> Spread | None:
    scores = case_scores(rows)
    scores = scores[~np.isnan(scores)]
    if len(scores) < 2:
        return None
    return _at_least(Spread(float(np.var(scores, ddof=1)), 0.0, 0.0), rows, "preference")


def _at_least(spread: Spread, rows: Floats, kind: MetricKind) -> Spread:
    """That no case of n differed does not say that none will: one in n + 2 may (Laplace)."""
    if kind == "amount":
        return spread
    unseen = 1 / (int((~np.isnan(case_scores(rows))).sum()) + 2)
    missing = max(unseen * (1 - unseen) - spread.variance(1), 0.0)
    return spread._replace(between=spread.between + missing)


def _of_units(rows: Floats, clusters: Labels) -> Floats:
    """Rows of clusters instead of cases, whose means are as independent as clusters are."""
    labels = [label or (at,) for at, label in enumerate(clusters)]
    if len(set(labels)) == len(labels):
        return rows
    members: dict[object, list[int]] = {}
    for at, label in enumerate(labels):
        members.setdefault(label, []).append(at)
    measured = ~np.isnan(rows)
    sums = [np.where(measured[of], rows[of], 0.0).sum(axis=0) for of in members.values()]
    counts = [measured[of].sum(axis=0) for of in members.values()]
    return np.array(
        [
            np.where(count > 0, total / np.maximum(count, 1), np.nan)
            for total, count in zip(sums, counts, strict=True)
        ]
    )


def _rows(scores: MetricScores) -> Floats:
    rows = measured_rows(scores)
    return np.log(rows) if scores.kind == "amount" else rows
