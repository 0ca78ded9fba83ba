"""What a page shows of a result, for the file and for the console. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trimtab.evals.reports.cases import CaseState, CaseView, count_states
from trimtab.evals.reports.drawing import (
    Histogram,
    IntervalBar,
    Spread,
    draw_histogram,
    draw_interval,
    draw_spread,
)
from trimtab.evals.reports.findings import SliceRow, counted, slice_rows
from trimtab.evals.reports.heading import (
    VERDICT_WORDS,
    Fact,
    facts_of,
    title_of,
    verdict_sentence,
)
from trimtab.evals.reports.metrics import MetricRow, metric_rows
from trimtab.evals.result import Comparison, Result

__all__ = ["CriticalRow", "DrawnMetric", "ResultPage", "page_of"]

_MOST_TAGS: Final = 60
_MOST_HISTOGRAMS: Final = 6


class DrawnMetric(msgspec.Struct, frozen=True):
    """A metric, and the picture of its difference; None where there is none."""

    row: MetricRow
    drawn: IntervalBar | None


class CriticalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A critical case that broke; `number` is its place in the result, None if it is not there."""

    case_id: str
    metric: str
    words: str
    why: str
    number: int | None


class ResultPage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything but the cases themselves.

    Attributes:
        experiment_id, kind, started_ns: of the experiment.
        title, verdict, word, sentence, reasons: what is said first.
        facts: what was tried, and what it took.
        metrics: headline metrics first.
        compared: there is a baseline.
        critical, slices: in words.
        histograms: changes over cases, of the metrics in which any case changed.
        spreads: latency and cost of cases.
        not_drawn: why there are no pictures of cases; "" where there are.
        counts: of cases, by what became of them.
        tags: of the cases, the most frequent first.
        cases_here, cases_total: in the result, and of the suite.
        notes: what a reader must know.
    """

    experiment_id: str
    kind: str
    started_ns: int
    title: str
    verdict: str
    word: str
    sentence: str
    reasons: list[str]
    facts: list[Fact]
    metrics: list[DrawnMetric]
    compared: bool
    critical: list[CriticalRow]
    slices: list[SliceRow]
    histograms: list[Histogram]
    spreads: list[Spread]
    not_drawn: str
    counts: list[tuple[CaseState, int]]
    tags: list[str]
    cases_here: int
    cases_total: int
    notes: list[str]


def page_of(result: Result, views: Sequence[CaseView]) -> ResultPage:
    """What a page shows of a result.

    Args:
        result: what came of an experiment.
        views: its cases, as `case_views` has them.
    """
    experiment = result.experiment
    whole = len(views) >= result.cases_total
    return ResultPage(
        experiment_id=experiment.id,
        kind=experiment.kind,
        started_ns=experiment.started_ns,
        title=title_of(result),
        verdict=result.verdict,
        word=VERDICT_WORDS[result.verdict],
        sentence=verdict_sentence(result),
        reasons=result.why,
        facts=facts_of(result),
        metrics=[DrawnMetric(row, draw_interval(row.place)) for row in metric_rows(result)],
        compared=bool(result.comparisons),
        critical=list(_critical(result, views)),
        slices=list(slice_rows(result)),
        # Of some cases alone, chosen for what changed in them, pictures would tell a tale.
        histograms=list(_histograms(result.comparisons, views)) if whole else [],
        spreads=list(_spreads(result, views)) if whole else [],
        not_drawn="" if whole else _not_drawn(len(views), result.cases_total),
        counts=count_states(views),
        tags=_tags(views),
        cases_here=len(views),
        cases_total=result.cases_total,
        notes=result.notes,
    )


def _not_drawn(here: int, total: int) -> str:
    return (
        f"This result holds {here:,} of {total:,} cases, those with most to see. A picture of "
        "these alone would mislead, so there is none."
    )


def _critical(result: Result, views: Sequence[CaseView]) -> Iterator[CriticalRow]:
    numbers = {view.case.case_id: view.number for view in views}
    for one in result.critical:
        yield CriticalRow(
            case_id=one.case_id,
            metric=one.metric,
            words=counted(one),
            why=one.why,
            number=numbers.get(one.case_id),
        )


def _histograms(found: Sequence[Comparison], views: Sequence[CaseView]) -> Iterator[Histogram]:
    shown = 0
    for one in sorted(found, key=lambda one: not one.primary):
        drawn = draw_histogram(one, views)
        if drawn is not None and drawn.columns and shown < _MOST_HISTOGRAMS:
            shown += 1
            yield drawn


def _spreads(result: Result, views: Sequence[CaseView]) -> Iterator[Spread]:
    latencies = [("candidate", [view.case.candidate.latency_ms for view in views])]
    costs = [("candidate", [float(view.case.candidate.cost_nanousd) for view in views])]
    if result.experiment.baseline is not None:
        sides = [view.case.baseline for view in views]
        latencies.insert(0, ("baseline", [side.latency_ms for side in sides if side is not None]))
        costs.insert(
            0, ("baseline", [float(side.cost_nanousd) for side in sides if side is not None])
        )
    for metric, found in (("latency", latencies), ("cost", costs)):
        drawn = draw_spread(metric, found)
        if drawn is not None:
            yield drawn


def _tags(views: Sequence[CaseView]) -> list[str]:
    counts = Counter(tag for view in views for tag in dict.fromkeys(view.case.tags))
    return [tag for tag, _ in counts.most_common(_MOST_TAGS)]
