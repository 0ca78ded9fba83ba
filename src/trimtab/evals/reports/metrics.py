"""One row for each metric of a result, in the order in which reports show them. Pure.

The headline metrics always have a row: one that was not measured says why.
"""

from typing import Literal

import msgspec

from trimtab.datasets.suite import HEADLINE_METRICS
from trimtab.evals.reports.scale import Place, place_of
from trimtab.evals.reports.wording import change, figure, interval, margin, probability, span
from trimtab.evals.result import Comparison, Estimate, Figure, Result
from trimtab.looks.words import NONE
from trimtab.types.experiments import MetricKind

__all__ = ["MetricRow", "MetricState", "metric_rows"]

MetricState = Literal["pass", "fail", "inconclusive", "advisory", "measured", "not measured"]
"""A verdict; or, where nothing was compared, whether there is a figure."""

_NOT_IN_SUITE = "no evaluator of the suite measures it"


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """A metric, in words.

    Attributes:
        name, kind, higher_is_better: of the metric.
        headline: reported whether or not it is measured.
        primary: it decides.
        state: what is said of it.
        why_not: why it is not measured, or gates nothing; "" otherwise.
        baseline, candidate: means, on the cases measured in both where there is a comparison.
        difference: of them; a ratio of amounts.
        interval: of the difference; "" without one.
        margin: how much worse is good enough; "" without a comparison.
        place: the interval on the scale of the margin.
        own_interval: of the candidate's mean at 95 %; "" where there is none.
        own_method: of that interval.
        cases, unmeasured, not_applicable: behind the candidate's mean.
        why, resolve: sentences on the verdict.
        proof: p-values, correlation and method of the comparison, for who wants to check it.
        detects: the smallest difference that the design can find; "" where it is not known.
    """

    name: str
    kind: MetricKind
    higher_is_better: bool
    headline: bool
    primary: bool = False
    state: MetricState
    why_not: str = ""
    baseline: str = NONE
    candidate: str = NONE
    difference: str = NONE
    interval: str = ""
    margin: str = ""
    place: Place | None = None
    own_interval: str = ""
    own_method: str = ""
    cases: int = 0
    unmeasured: int = 0
    not_applicable: int = 0
    why: str = ""
    resolve: str = ""
    proof: str = ""
    detects: str = ""

    @property
    def decides(self) -> bool:
        """The verdict of the whole hangs on it."""
        return self.primary and self.state != "advisory"

    @property
    def state_words(self) -> str:
        """What is said of it; in brackets where that decides nothing."""
        is_verdict = self.state in {"pass", "fail", "inconclusive"}
        return f"({self.state})" if is_verdict and not self.decides else self.state


def metric_rows(result: Result) -> list[MetricRow]:
    """Headline metrics, then others that decide, then the rest in the order of the result."""
    figures = {one.metric: one for one in result.figures}
    comparisons = {one.metric: one for one in result.comparisons}
    names = list(dict.fromkeys([*HEADLINE_METRICS, *comparisons, *figures]))

    def rank(name: str) -> tuple[int, int]:
        if name in HEADLINE_METRICS:
            return 0, HEADLINE_METRICS.index(name)
        comparison = comparisons.get(name)
        return (1 if comparison is not None and comparison.primary else 2), names.index(name)

    return [
        _row(name, figures.get(name), comparisons.get(name), detects=result.detects.get(name))
        for name in sorted(names, key=rank)
    ]


def _row(
    name: str,
    figure_: Figure | None,
    comparison: Comparison | None,
    *,
    detects: float | None,
) -> MetricRow:
    if comparison is not None:
        return _compared(name, figure_, comparison, detects=detects)
    headline = name in HEADLINE_METRICS
    if figure_ is None:
        return MetricRow(
            name=name,
            kind="rate",
            higher_is_better=True,
            headline=headline,
            state="not measured",
            why_not=_NOT_IN_SUITE,
        )
    estimate = figure_.estimate
    has_value = estimate is not None and estimate.value is not None
    row = MetricRow(
        name=name,
        kind=figure_.kind,
        higher_is_better=figure_.higher_is_better,
        headline=headline,
        state="measured" if has_value else "not measured",
        why_not=figure_.advisory if has_value else _why_not(figure_),
        detects=_detects(figure_.kind, detects),
    )
    return _with_estimate(row, estimate)


def _compared(
    name: str, figure_: Figure | None, found: Comparison, *, detects: float | None
) -> MetricRow:
    kind = found.kind
    row = MetricRow(
        name=name,
        kind=kind,
        higher_is_better=found.higher_is_better,
        headline=name in HEADLINE_METRICS,
        primary=found.primary,
        state=found.verdict,
        why_not=figure_.advisory if figure_ is not None else "",
        # A preference is of the candidate over the baseline, which has none of its own.
        baseline=NONE if kind == "preference" else figure(name, kind, found.baseline.value),
        difference=change(kind, found.difference),
        interval=interval(kind, (found.low, found.high)),
        margin=margin(kind, found.margin),
        place=place_of(found),
        why=found.why,
        resolve=found.resolve,
        proof=_proof(found),
        detects=_detects(kind, detects),
    )
    return _with_estimate(row, found.candidate)


def _with_estimate(row: MetricRow, estimate: Estimate | None) -> MetricRow:
    if estimate is None:
        return row
    return msgspec.structs.replace(
        row,
        candidate=figure(row.name, row.kind, estimate.value),
        own_interval=span(row.name, row.kind, (estimate.low, estimate.high)),
        own_method=estimate.method,
        cases=estimate.cases,
        unmeasured=estimate.unmeasured,
        not_applicable=estimate.not_applicable,
    )


def _why_not(figure_: Figure) -> str:
    if figure_.why_not:
        return figure_.why_not
    estimate = figure_.estimate
    if estimate is None:
        return _NOT_IN_SUITE
    if estimate.unmeasured:
        return f"none of {estimate.unmeasured:,} answers could be measured"
    return "it applies to no case of the suite"


def _detects(kind: MetricKind, value: float | None) -> str:
    return "" if value is None else margin(kind, value)


def _proof(found: Comparison) -> str:
    parts = [
        found.method,
        f"{found.cases:,} cases in both",
        f"no drop: {probability(found.p_drop)}" if found.p_drop is not None else "",
        f"a drop by the margin: {probability(found.p_margin)}"
        if found.p_margin is not None
        else "",
        f"correlation {found.correlation:.2f}" if found.correlation is not None else "",
    ]
    return "; ".join(part for part in parts if part)
