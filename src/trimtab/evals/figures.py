"""What one setup reached: each metric with its interval, over cases."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from trimtab.datasets.suite import HEADLINE_METRICS
from trimtab.evals.frame import Frame
from trimtab.evals.result import Estimate, Figure
from trimtab.evals.scores import ABSENT, MEASURED, NOT_APPLICABLE, UNMEASURED, MetricScores
from trimtab.stats.estimates import estimate
from trimtab.stats.means import split_variance
from trimtab.stats.units import Labels

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
    found = estimate(rows, scores.kind, clusters, confidence=confidence)
    return Estimate(
        value=found.value,
        low=found.low,
        high=found.high,
        cases=found.cases,
        clusters=found.clusters,
        rows=found.rows,
        unmeasured=int(np.sum((scores.status == UNMEASURED) | (scores.status == ABSENT))),
        not_applicable=int(np.sum(scores.status == NOT_APPLICABLE)),
        method=found.method,
    )


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
