"""A result as a JSON document for programs, whose form is kept: `docs/eval-report.schema.json`.

`version` is raised when a field goes or changes its meaning; new fields may come at any time, so
readers pass over what they do not know. Texts are as they came, hidden characters included.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final, Literal

import msgspec

from trimtab.datasets.suite import HEADLINE_METRICS
from trimtab.evals.reports.cases import CaseState, CaseView, case_views
from trimtab.evals.reports.metrics import MetricState, metric_rows
from trimtab.evals.result import Comparison, CriticalFinding, Estimate, Result, Side, Slice
from trimtab.looks.words import iso_time
from trimtab.types.experiments import MetricKind, Setup

__all__ = [
    "FORMAT",
    "VERSION",
    "CaseReport",
    "ComparisonReport",
    "CountReport",
    "MetricReport",
    "Report",
    "report_of",
    "report_schema",
    "write_json",
]

FORMAT: Final = "trimtab.experiment"
VERSION: Final = 1


class ComparisonReport(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of the candidate against the baseline, on the cases measured in both.

    Attributes:
        baseline, candidate: on those cases.
        difference: candidate - baseline; of amounts the ratio candidate / baseline.
        low, high: its interval; each end is a bound by itself at the suite's alpha.
        margin: how much worse is good enough; of amounts a ratio.
        cases: measured in both.
        correlation: of both over cases.
        p_drop: of no drop, adjusted over the metrics that decide.
        p_margin: of a drop by the margin or more.
        why, resolve, method: in words.
    """

    baseline: Estimate
    candidate: Estimate
    difference: float | None
    low: float | None
    high: float | None
    margin: float
    cases: int
    correlation: float | None
    p_drop: float | None
    p_margin: float | None
    why: str
    resolve: str
    method: str


class MetricReport(msgspec.Struct, frozen=True, kw_only=True):
    """A metric; the headline metrics are always there.

    Attributes:
        state: what is said of it.
        headline: it is always reported.
        primary: it decides.
        estimate: of the candidate over all its cases; null where it is not measured.
        raw: the same before the correction for what the judge gets wrong; null without one.
        why_not: why it is not measured, or gates nothing; "" otherwise.
        repeat_noise: share of the variance of a case's score that repeats can remove.
        detects: the smallest difference that the design can find.
        comparison: null where nothing was compared.
    """

    metric: str
    kind: MetricKind
    higher_is_better: bool
    state: MetricState
    headline: bool
    primary: bool
    estimate: Estimate | None
    raw: Estimate | None
    why_not: str
    repeat_noise: float | None
    detects: float | None
    comparison: ComparisonReport | None


class CaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """A case; `state` is how it changed, or without a baseline whether it is as it should be."""

    id: str
    state: CaseState
    critical: bool
    broken: bool
    cluster: str
    tags: list[str]
    asked: str
    candidate: Side
    baseline: Side | None


class CountReport(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of both setups, and cases.

    Attributes:
        cases: of the suite.
        cases_here: in this document.
        planned, answered, failed: rows.
        reused: rows of earlier experiments.
        dropped_share: of planned rows that were not measured in both.
    """

    cases: int
    cases_here: int
    planned: int
    answered: int
    failed: int
    reused: int
    dropped_share: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The document. `cases` is the last field, so that it can be written one case at a time.

    Attributes:
        format, version: what this is.
        experiment, suite, suite_hash, kind, repeats: of the experiment.
        started_at, ended_at: UTC; `ended_at` is "" of one that did not end.
        verdict: "" for a run of one setup.
        why: the reasons, the weightiest first.
        candidate, baseline: what was tried, and against what.
        metrics: headline metrics first.
        critical: cases that must not get worse, and did.
        slices: exploratory.
        counts: of rows and cases.
        spent_nanousd, judge_nanousd: of this experiment, and of that of judges.
        took_s: from start to end.
        notes: what a reader must know.
        cases: those with most to see first.
    """

    format: Literal["trimtab.experiment"] = FORMAT
    version: Literal[1] = VERSION
    experiment: str
    suite: str
    suite_hash: str
    kind: Literal["run", "gate", "aa"]
    repeats: int
    started_at: str
    ended_at: str
    verdict: Literal["", "pass", "fail", "inconclusive"]
    why: list[str]
    candidate: Setup
    baseline: Setup | None
    metrics: list[MetricReport]
    critical: list[CriticalFinding]
    slices: list[Slice]
    counts: CountReport
    spent_nanousd: int
    judge_nanousd: int
    took_s: float
    notes: list[str]
    cases: list[CaseReport]


def report_of(result: Result, *, most_cases: int | None = None) -> Report:
    """The document of a result.

    Args:
        result: what came of an experiment.
        most_cases: so many cases, those with most to see first; None for all.
    """
    cases = [_case(view) for view in case_views(result)[:most_cases]]
    return msgspec.structs.replace(_without_cases(result, len(cases)), cases=cases)


def write_json(result: Result, file: BinaryIO, *, most_cases: int | None = None) -> None:
    """Write the same document on one line, a case at a time: 20,000 cases need no copy in memory.

    Args:
        result: what came of an experiment.
        file: written in UTF-8.
        most_cases: so many cases, those with most to see first; None for all.
    """
    views = case_views(result)[:most_cases]
    head = msgspec.json.encode(_without_cases(result, len(views)))
    file.write(head.removesuffix(b"]}"))
    for number, view in enumerate(views):
        file.write(b"," if number else b"")
        file.write(msgspec.json.encode(_case(view)))
    file.write(b"]}\n")


def report_schema() -> dict[str, Any]:
    """The form of the document as a JSON Schema."""
    return msgspec.json.schema(Report)


def _without_cases(result: Result, count: int) -> Report:
    experiment = result.experiment
    ended_ns = experiment.ended_ns
    return Report(
        experiment=experiment.id,
        suite=experiment.suite,
        suite_hash=experiment.suite_hash,
        kind=experiment.kind,
        repeats=experiment.repeats,
        started_at=iso_time(experiment.started_ns),
        ended_at=iso_time(ended_ns) if ended_ns else "",
        verdict=result.verdict,
        why=result.why,
        candidate=experiment.candidate,
        baseline=experiment.baseline,
        metrics=list(_metrics(result)),
        critical=result.critical,
        slices=result.slices,
        counts=CountReport(
            cases=result.cases_total,
            cases_here=count,
            planned=result.planned,
            answered=result.answered,
            failed=result.failed,
            reused=result.reused,
            dropped_share=result.dropped_share,
        ),
        spent_nanousd=result.spent_nanousd,
        judge_nanousd=result.judge_nanousd,
        took_s=result.took_s,
        notes=result.notes,
        cases=[],
    )


def _metrics(result: Result) -> Iterator[MetricReport]:
    figures = {one.metric: one for one in result.figures}
    comparisons = {one.metric: one for one in result.comparisons}
    for row in metric_rows(result):
        figure, found = figures.get(row.name), comparisons.get(row.name)
        yield MetricReport(
            metric=row.name,
            kind=row.kind,
            higher_is_better=row.higher_is_better,
            state=row.state,
            headline=row.name in HEADLINE_METRICS,
            primary=row.primary,
            estimate=figure.estimate if figure is not None else None,
            raw=figure.raw if figure is not None else None,
            why_not=row.why_not,
            repeat_noise=figure.repeat_noise if figure is not None else None,
            detects=result.detects.get(row.name),
            comparison=_comparison(found) if found is not None else None,
        )


def _comparison(found: Comparison) -> ComparisonReport:
    return ComparisonReport(
        **{name: getattr(found, name) for name in ComparisonReport.__struct_fields__}
    )


def _case(view: CaseView) -> CaseReport:
    case = view.case
    return CaseReport(
        id=case.case_id,
        state=view.state,
        critical=case.critical,
        broken=view.broken,
        cluster=case.cluster,
        tags=case.tags,
        asked=case.asked,
        candidate=case.candidate,
        baseline=case.baseline,
    )
