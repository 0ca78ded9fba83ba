"""Scores as arrays, for gates without answers."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.datasets.case import Case
from trimtab.datasets.suite import GatePolicy
from trimtab.evals.frame import Frame
from trimtab.evals.scores import MEASURED, MetricScores
from trimtab.types.experiments import MetricKind

Floats = NDArray[np.float64]

STRICT = GatePolicy(inconclusive="block")


def scores(
    values: Sequence[Sequence[float]] | Floats,
    metric: str = "accuracy",
    kind: MetricKind = "rate",
    *,
    status: Sequence[Sequence[int]] | NDArray[np.uint8] | None = None,
    higher_is_better: bool = True,
) -> MetricScores:
    """One metric, measured throughout unless `status` says something else."""
    rows = np.asarray(values, dtype=np.float64)
    told = np.full(rows.shape, MEASURED) if status is None else np.asarray(status)
    told = told.astype(np.uint8)
    kept = np.where(told == MEASURED, rows, np.nan)
    return MetricScores(metric, kind, higher_is_better, kept, told, asks=False)


def frame(
    count: int,
    policy: GatePolicy = STRICT,
    *,
    critical: Sequence[int] = (),
    clusters: Sequence[str] = (),
    tags: Mapping[int, list[str]] | None = None,
    advisory: Mapping[str, str] | None = None,
) -> Frame:
    """So many cases."""
    cases = [
        Case(
            id=f"c{at}",
            critical=at in critical,
            cluster=clusters[at] if clusters else "",
            tags=(tags or {}).get(at, []),
        )
        for at in range(count)
    ]
    return Frame(cases, policy, advisory or {})
