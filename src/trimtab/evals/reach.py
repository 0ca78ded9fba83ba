"""Which margins of a suite nothing can reach, whatever is answered. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trimtab.datasets.suite import HEADLINE_METRICS, Suite
from trimtab.evals.compare import margin_of
from trimtab.evals.looks import looks_of, planned_of
from trimtab.evals.outlook import cases_needed
from trimtab.evals.registry import SuiteEvaluator
from trimtab.stats.units import unit_sums
from trimtab.types.experiments import MetricKind

__all__ = ["OutOfReach", "out_of_reach"]


class OutOfReach(NamedTuple):
    """A metric that decides, and that no candidate can pass.

    Attributes:
        metric: which.
        margin: how much worse is good enough; of amounts a ratio.
        needs: independent cases that it takes.
        cases: independent ones that the suite has; the metric may apply to fewer.
    """

    metric: str
    margin: float
    needs: int
    cases: int


def out_of_reach(
    suite: Suite, evaluators: Sequence[SuiteEvaluator], advisory: Mapping[str, str]
) -> list[OutOfReach]:
    """The metrics whose margin is too narrow for so few cases.

    Args:
        suite: with its cases.
        evaluators: of the suite.
        advisory: why a metric gates nothing, by its name.
    """
    policy = planned_of(looks_of(suite.gate, suite.repeats)).policy
    kinds: dict[str, MetricKind] = {one.metric: one.kind for one in evaluators}
    headline = [name for name in HEADLINE_METRICS if name in kinds and name not in advisory]
    cases = len(unit_sums(np.ones(len(suite.cases)), [case.cluster for case in suite.cases]).sums)
    found: list[OutOfReach] = []
    for metric in policy.primary or headline:
        kind = kinds.get(metric)
        if kind is None:
            continue
        margin = margin_of(metric, kind, policy)
        needs = cases_needed(
            margin,
            kind,
            repeats=suite.repeats,
            alpha=policy.alpha,
            clustered=cases < len(suite.cases),
        )
        if cases < needs:
            found.append(OutOfReach(metric, margin, needs, cases))
    return found
