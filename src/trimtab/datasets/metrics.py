"""What is known of a metric before anything is measured: whose it is, and what values it has."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple, get_args

from trimtab.datasets.suite import HEADLINE_METRICS
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


DescribeEvaluator = Callable[[str], MetricFacts | None]
"""The metric of an evaluator by what stands in `use`; None where nobody can tell."""


@cache
def installed_metric(use: str) -> MetricFacts | None:
    """The metric of an installed evaluator; None if none of that name is installed."""
    try:
        found = load_plugin(EVALUATORS, use, _is_evaluator)
    except UsageError:
        return None
    return MetricFacts(found.metric, found.kind)


def _is_evaluator(plugin: Any) -> bool:  # noqa: ANN401 - anything may be registered
    metric, kind = getattr(plugin, "metric", None), getattr(plugin, "kind", None)
    return isinstance(metric, str) and kind in _KINDS
