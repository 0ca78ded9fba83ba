"""What is known of a metric before anything is measured: whose it is, and what values it has."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple, get_args

from trimtab.datasets.suite import HEADLINE_METRICS, EvaluatorUse
from trimtab.errors import UsageError
from trimtab.plugins import EVALUATORS, load_plugin
from trimtab.types.experiments import MetricKind

__all__ = ["KNOWN_METRICS", "DescribeEvaluator", "MetricFacts", "installed_metric"]

KNOWN_METRICS: Final[dict[str, MetricKind]] = {
    **dict.fromkeys(HEADLINE_METRICS, "rate"),
    "latency": "amount",
    "cost": "amount",
}
"""Metrics that every suite may speak of."""

_KINDS: Final = get_args(MetricKind)


class MetricFacts(NamedTuple):
    """What the marks of an evaluator belong to, unless the suite says otherwise.

    Attributes:
        metric: its name.
        kind: of its values.
    """

    metric: str
    kind: MetricKind


DescribeEvaluator = Callable[[EvaluatorUse], MetricFacts | None]
"""What an evaluator of a suite measures by itself; None where nobody can tell."""


def installed_metric(evaluator: EvaluatorUse) -> MetricFacts | None:
    """What the installed evaluator measures; None if there is none, or if options may decide.

    What options decide is known when the evaluator is built: see `gate_findings`.
    """
    return _installed(evaluator.use)


@cache
def _installed(use: str) -> MetricFacts | None:
    try:
        found = load_plugin(EVALUATORS, use, _is_evaluator)
    except (UsageError, ImportError):
        return None
    return None if getattr(found, "particulars", None) else MetricFacts(found.metric, found.kind)


def _is_evaluator(plugin: Any) -> bool:  # noqa: ANN401 - anything may be registered
    metric, kind = getattr(plugin, "metric", None), getattr(plugin, "kind", None)
    return isinstance(metric, str) and kind in _KINDS
