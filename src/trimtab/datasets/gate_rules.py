"""Rules about `[gate]` of a suite that its schema cannot say."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trimtab.config.locate import KeyPath
from trimtab.config.reader import TableReader
from trimtab.datasets.metrics import KNOWN_METRICS, DescribeEvaluator
from trimtab.datasets.suite import EvaluatorUse, GatePolicy
from trimtab.types.experiments import MetricKind
from trimtab.types.money import NANO_PER_USD

__all__ = ["check_gate"]

_MOST_RATIO: Final = 2.7  # as bad as one case is taken to be at most: `stats.mean_bounds`
_LEAST_NANOUSD: Final = 100  # who writes less means dollars
_LOWEST: Final[Mapping[str, float]] = {"rate": 0.0, "score": 0.0, "preference": -1.0}


class _Metrics:
    """The metrics of a suite, and what kind each is."""

    def __init__(
        self, evaluators: Sequence[EvaluatorUse], describe_evaluator: DescribeEvaluator
    ) -> None:
        self._evaluators = evaluators
        self._describe = describe_evaluator
        self._kinds: dict[str, MetricKind | None] = dict(KNOWN_METRICS)
        self._asked = False
        self.certain = True
        """Every evaluator's metric is known, so there can be no other."""

    def names(self) -> Iterable[str]:
        """All that are known."""
        self._ask()
        return self._kinds

    def kind(self, metric: str) -> MetricKind | None:
        """Of the values; None where it cannot be told."""
        if metric not in self._kinds:
            self._ask()
        return self._kinds.get(metric)

    def __contains__(self, metric: str) -> bool:
        return metric in KNOWN_METRICS or metric in self.names() or not self.certain

    def _ask(self) -> None:
        """What the evaluators measure: only where it matters, for it loads them."""
        if self._asked:
            return
        self._asked = True
        for one in self._evaluators:
            facts = self._describe(one)
            metric = one.metric or (facts.metric if facts is not None else "")
            self.certain &= bool(metric)
            if metric not in self._kinds:
                self._kinds[metric] = facts.kind if facts is not None else None
        self._kinds.pop("", None)


def check_gate(
    gate: GatePolicy,
    evaluators: Sequence[EvaluatorUse],
    reader: TableReader,
    *,
    describe_evaluator: DescribeEvaluator,
) -> None:
    """Report metrics that nothing measures, and margins and floors that cannot be meant."""
    metrics = _Metrics(evaluators, describe_evaluator)
    for place, metric in enumerate(gate.primary):
        path = ("gate", "primary")
        if _is_known(metric, metrics, path, reader=reader) and metric in gate.primary[:place]:
            reader.report(path, f"{metric} is there twice", "Keep one of them")
    for metric, margin in gate.margins.items():
        path = ("gate", "margins", metric)
        if _is_known(metric, metrics, path, reader=reader):
            _check_margin(margin, metrics.kind(metric), path, reader=reader)
    for metric, floor in gate.floors.items():
        path = ("gate", "floors", metric)
        if _is_known(metric, metrics, path, reader=reader):
            _check_floor(floor, metrics.kind(metric), path, reader=reader)


def _is_known(metric: str, metrics: _Metrics, path: KeyPath, *, reader: TableReader) -> bool:
    if metric in metrics:
        return True
    names = sorted(metrics.names())
    near = difflib.get_close_matches(metric, names, n=1)
    remedy = f"Did you mean {near[0]}?" if near else f"Measured here: {', '.join(names)}"
    reader.report(path, f"no evaluator measures {metric[:60]!r}", remedy)
    return False


def _check_margin(
    margin: float, kind: MetricKind | None, path: KeyPath, *, reader: TableReader
) -> None:
    is_share, is_ratio = 0 < margin < 1, 1 < margin <= _MOST_RATIO
    if kind == "amount" and not is_ratio:
        remedy = f"Give a ratio above 1 up to {_MOST_RATIO:g}: 1.10 lets it grow by 10 %"
        reader.report(path, f"{margin:g} is no ratio", remedy)
    elif kind not in {"amount", None} and not is_share:
        remedy = "Give a share between 0 and 1: 0.05 lets it get worse by 5 points of 100"
        reader.report(path, f"{margin:g} is no share", remedy)
    elif not is_share and not is_ratio:
        remedy = f"Give a share between 0 and 1, or a ratio above 1 up to {_MOST_RATIO:g}"
        reader.report(path, f"{margin:g} is neither a share nor a ratio", remedy)


def _check_floor(
    floor: float, kind: MetricKind | None, path: KeyPath, *, reader: TableReader
) -> None:
    lowest = _LOWEST.get(kind or "")
    if lowest is not None and not lowest <= floor <= 1:
        remedy = f"Give a number from {lowest:g} to 1"
        reader.report(path, f"{floor:g} is out of range", remedy)
    elif kind == "amount" and not floor > 0:
        reader.report(path, f"{floor:g} is no amount", "Give a number above 0")
    elif path[-1] == "cost" and floor < _LEAST_NANOUSD:
        nanousd = floor * NANO_PER_USD
        remedy = f"Give nano-dollars: {floor:g} US dollars are {nanousd:.0f}"
        reader.report(path, f"{floor:g} nano-dollars pay for nothing", remedy)
