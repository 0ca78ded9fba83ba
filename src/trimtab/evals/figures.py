"""What one setup reached: each metric with its interval, over cases."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from trimtab.datasets.suite import HEADLINE_METRICS
from trimtab.evals.frame import Frame
from trimtab.evals.result import Estimate, Figure
from trimtab.evals.scores import ABSENT, MEASURED, NOT_APPLICABLE, UNMEASURED, MetricScores
from trimtab.stats.margins import compare_preferences
from trimtab.stats.means import estimate_mean, split_variance
from trimtab.stats.rates import estimate_rate
from trimtab.stats.units import Floats, Labels, case_scores, keep, unit_sums

__all__ = ["estimate_of", "figures_of"]

_CONFIDENCE: Final = 0.95
_HIGHER_IS_BETTER: Final = frozenset(("accuracy", "format"))


def figures_of(
    metrics: Sequence[MetricScores], frame: Frame, *, why_not: dict[str, str]
) -> list[Figure]:
    """A figure of each metric; the headline metrics first, also those that are not measured.

    Args:
        metrics: of the setup.
        frame: cases, what only advises, and what is corrected.
        why_not: why a headline metric is not measured.
    """
    known = {one.metric: one for one in metrics}
    names = [*HEADLINE_METRICS, *(name for name in known if name not in HEADLINE_METRICS)]
    return [
        _figure(known[name], frame)
        if name in known
        else _lacking(name, why_not.get(name, "no evaluator of the suite measures it"))
        for name in names
    ]


def estimate_of(
    scores: MetricScores, clusters: Labels, *, confidence: float = _CONFIDENCE
) -> Estimate:
    """The figure of a metric with its two-sided interval."""
    rows = np.where(scores.status == MEASURED, scores.values, np.nan)
    value, low, high, method = _interval(scores, rows, clusters, confidence=confidence)
    measured = ~np.isnan(case_scores(rows))
    units = unit_sums(np.ones(int(measured.sum())), keep(clusters, measured))
    return Estimate(
        value=value,
        low=low,
        high=high,
        cases=int(measured.sum()),
        clusters=len(units.sums),
        rows=int(np.sum(scores.status == MEASURED)),
        unmeasured=int(np.sum((scores.status == UNMEASURED) | (scores.status == ABSENT))),
        not_applicable=int(np.sum(scores.status == NOT_APPLICABLE)),
        method=method,
    )


_Ends = tuple[float | None, float | None, float | None]
_Interval = tuple[float | None, float | None, float | None, str]


def _interval(
    scores: MetricScores, rows: Floats, clusters: Labels, *, confidence: float
) -> _Interval:
    match scores.kind:
        case "rate":
            rate = estimate_rate(rows, clusters, confidence=confidence)
            method = "Wilson" if rate.rows == rate.clusters else "Wilson, on effective rows"
            return rate.value, rate.low, rate.high, method
        case "preference":
            told = compare_preferences(rows, clusters, margin=0.5, alpha=(1 - confidence) / 2)
            return told.difference, told.low, told.high, f"wins - losses, {told.method}"
        case "score":
            return *_of_mean(case_scores(rows), clusters, confidence), "t over cases"
        case "amount":
            ends = _of_mean(case_scores(np.log(rows)), clusters, confidence)
            return _exp(ends[0]), _exp(ends[1]), _exp(ends[2]), "t over cases, of logarithms"


def _of_mean(scores: Floats, clusters: Labels, confidence: float) -> _Ends:
    which = ~np.isnan(scores)
    mean = estimate_mean(scores[which], keep(clusters, which), confidence=confidence)
    return mean.value, mean.low, mean.high


def _exp(value: float | None) -> float | None:
    return None if value is None else float(np.exp(value))


def _figure(scores: MetricScores, frame: Frame) -> Figure:
    rows = np.where(scores.status == MEASURED, scores.values, np.nan)
    split = split_variance(np.log(rows) if scores.kind == "amount" else rows)
    raw, better = estimate_of(scores, frame.clusters), frame.corrected.get(scores.metric)
    return Figure(
        metric=scores.metric,
        kind=scores.kind,
        higher_is_better=scores.higher_is_better,
        estimate=better or raw,
        advisory=frame.advisory.get(scores.metric, ""),
        raw=None if better is None else raw,
        repeat_noise=split.repeat_share if split is not None else None,
    )


def _lacking(name: str, why_not: str) -> Figure:
    return Figure(
        metric=name,
        kind="rate",
        higher_is_better=name in _HIGHER_IS_BETTER,
        estimate=None,
        why_not=why_not,
    )
