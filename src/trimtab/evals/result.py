"""What came of an experiment: the values that gates print and reports show."""

from typing import Literal

import msgspec

from trimtab.types.experiments import Experiment, MetricKind

__all__ = [
    "CaseResult",
    "Comparison",
    "CriticalFinding",
    "Estimate",
    "Figure",
    "MetricVerdict",
    "Result",
    "Side",
    "Slice",
    "Stopped",
    "Verdict",
]

Verdict = Literal["pass", "fail", "inconclusive"]
MetricVerdict = Literal["pass", "fail", "inconclusive", "advisory"]
Stopped = Literal["", "budget", "told", "down"]


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its interval, over cases; repeats of a case are averaged first.

    Attributes:
        value: mean; geometric for amounts. None where nothing was measured.
        low, high: of the interval at 95 %; None where there is none.
        cases: with at least one measured repeat.
        clusters: that they form.
        rows: measured.
        unmeasured: rows that should have a value and have none, those without an answer included.
        not_applicable: rows of cases that do not ask for this.
        method: of the interval, as `Wilson` or `t, clustered`.
    """

    value: float | None
    low: float | None
    high: float | None
    cases: int
    clusters: int
    rows: int
    unmeasured: int
    not_applicable: int
    method: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one setup.

    Attributes:
        metric: its name.
        kind, higher_is_better: of its values.
        estimate: None where the suite does not measure it.
        why_not: what the suite lacks, where it is not measured.
        advisory: why it gates nothing; "" where it may.
        raw: before the correction for what the judge gets wrong; None without a correction.
        repeat_noise: share of the variance of a case's score that repeats can remove; None with
            one repeat.
    """

    metric: str
    kind: MetricKind
    higher_is_better: bool
    estimate: Estimate | None
    why_not: str = ""
    advisory: str = ""
    raw: Estimate | None = None
    repeat_noise: float | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of candidate against baseline, on the cases measured in both.

    Attributes:
        primary: it decides; others are shown.
        candidate, baseline: on those cases.
        difference: candidate - baseline; of amounts the ratio candidate / baseline.
        low, high: two-sided at 1 - 2 alpha, so that each end is a one-sided bound at alpha.
        margin: how much worse is good enough: a share, or a ratio of amounts.
        cases: measured in both.
        correlation: of the two setups' scores over cases; None where one does not vary.
        p_drop: of no drop, adjusted by Holm over the primary metrics.
        p_margin: of a drop by the margin or more.
        verdict: of this metric; `advisory` gates nothing.
        why: in a sentence.
        resolve: what would settle an inconclusive one: cases or repeats; "" otherwise.
        repeats_may_settle: more answers to each of these cases could settle an inconclusive one.
        method: as `paired t on case means`.
    """

    metric: str
    kind: MetricKind
    higher_is_better: bool
    primary: bool
    candidate: Estimate
    baseline: Estimate
    difference: float | None
    low: float | None
    high: float | None
    margin: float
    cases: int
    correlation: float | None
    p_drop: float | None
    p_margin: float | None
    verdict: MetricVerdict
    why: str
    resolve: str = ""
    repeats_may_settle: bool = False
    method: str = ""


class CriticalFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A critical case that the candidate breaks."""

    case_id: str
    metric: str
    candidate_passed: int
    baseline_passed: int
    repeats: int
    p: float | None
    why: str


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A metric on the cases with a tag: exploratory, by Benjamini-Hochberg at q = 0.10."""

    tag: str
    metric: str
    cases: int
    difference: float
    p: float
    found: bool


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one setup did on one case, over its repeats.

    Attributes:
        texts: of the answers, in order of repeat; "" where there was none.
        scores: by metric, the mean; absent where not measured or not applicable.
        labels: by metric, what the evaluators said, without repetition.
        reasons: as labels, in sentences.
        errors: codes of repeats without an answer.
        cost_nanousd: of all repeats.
        latency_ms: median.
    """

    texts: list[str] = []
    scores: dict[str, float] = {}
    labels: dict[str, list[str]] = {}
    reasons: dict[str, list[str]] = {}
    errors: list[str] = []
    cost_nanousd: int = 0
    latency_ms: float = 0.0


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """A case in a report."""

    case_id: str
    cluster: str
    tags: list[str]
    critical: bool
    asked: str
    candidate: Side
    baseline: Side | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report shows.

    Attributes:
        experiment: which.
        verdict: "" for a run of one setup.
        why: the reasons of the verdict, the weightiest first.
        figures: of the candidate.
        comparisons: with the baseline; empty for a run of one, and for a first release.
        critical: cases that must not get worse, and did.
        slices: exploratory.
        cases: those with most to see first.
        cases_total: of the suite; `cases` may hold fewer.
        planned, answered, failed: rows of both setups: asked for, with an answer, with an error.
        reused: rows of earlier experiments.
        dropped_share: of planned rows that were not measured in both.
        spent_nanousd: of this experiment's own requests.
        judge_nanousd: of these, of judges.
        took_s: from start to end.
        detects: the smallest difference that the design can find, by metric, at power 0.8.
        notes: what a reader must know.
        stopped: why not all rows were asked for: the budget, somebody told it to stop, or no
            provider answered; "" where they were.
    """

    experiment: Experiment
    verdict: Literal["", "pass", "fail", "inconclusive"]
    why: list[str]
    figures: list[Figure]
    comparisons: list[Comparison] = []
    critical: list[CriticalFinding] = []
    slices: list[Slice] = []
    cases: list[CaseResult]
    cases_total: int
    planned: int
    answered: int
    failed: int
    reused: int
    dropped_share: float
    spent_nanousd: int
    judge_nanousd: int
    took_s: float
    detects: dict[str, float] = {}
    notes: list[str] = []
    stopped: Stopped = ""
