"""Pass, fail or inconclusive. Pure: from scores and a policy to a verdict with its reasons."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from trimtab.datasets.suite import HEADLINE_METRICS, GatePolicy
from trimtab.evals.compare import Pair, compare_metrics
from trimtab.evals.critical import critical_findings, safety_findings, unmeasured_critical
from trimtab.evals.figures import estimate_of
from trimtab.evals.frame import Frame
from trimtab.evals.result import Comparison, CriticalFinding, Slice, Verdict
from trimtab.evals.scores import MEASURED, NOT_APPLICABLE, MetricScores
from trimtab.evals.slices import find_slices
from trimtab.stats.missingness import Missingness, check_missing

__all__ = ["Judgement", "judge", "judge_alone", "primary_metrics"]

_ORDER: Final[tuple[Verdict, ...]] = ("fail", "inconclusive", "pass")
_SURE: Final = 1e-12
_UNLIKE: Final = 0.05


class Judgement(NamedTuple):
    """The verdict.

    Attributes:
        verdict: of the whole.
        why: reasons, the weightiest first.
        comparisons: of each metric.
        critical: cases that must not get worse, and did.
        slices: exploratory.
        dropped_share: of the planned rows of primary metrics that were not measured in both.
        repeats_may_settle: more answers to each case could settle an inconclusive one.
        lacks: it is inconclusive for what was not measured.
    """

    verdict: Verdict
    why: list[str]
    comparisons: list[Comparison]
    critical: list[CriticalFinding]
    slices: list[Slice]
    dropped_share: float
    repeats_may_settle: bool = False
    lacks: bool = False


def primary_metrics(metrics: Sequence[MetricScores], frame: Frame) -> list[str]:
    """Those that decide: what the suite says, else the headline metrics that it measures.

    A metric that the suite names must decide, also where it only advises: then nothing passes. One
    that nobody named does not decide where it only advises.
    """
    if frame.policy.primary:
        return list(frame.policy.primary)
    known = {one.metric for one in metrics if (one.status != NOT_APPLICABLE).any()}
    return [name for name in HEADLINE_METRICS if name in known and not frame.advisory.get(name)]


def judge(
    candidate: Sequence[MetricScores],
    baseline: Sequence[MetricScores],
    frame: Frame,
    *,
    explore: bool = True,
) -> Judgement:
    """Hold a candidate against a baseline.

    Args:
        candidate: its scores.
        baseline: those of the same cases in the same order.
        frame: cases, policy, and what only advises.
        explore: also look at slices.
    """
    primary = primary_metrics([*candidate, *baseline], frame)
    old = {one.metric: one for one in baseline}
    pairs = [
        Pair(new, old[new.metric], new.metric in primary, frame.advisory.get(new.metric, ""))
        for new in candidate
        if new.metric in old
    ]
    comparisons = compare_metrics(pairs, frame)
    deciding = [pair for pair in pairs if pair.primary and not pair.advisory]
    critical = safety_findings(candidate, baseline, frame) + critical_findings(deciding, frame)
    missing = {pair.candidate.metric: _missing(pair, frame.policy) for pair in deciding}
    lacking = [_lack(name, found) for name, found in missing.items() if not found.conclusive]
    lacking += unmeasured_critical(deciding, frame)
    verdict, why = _whole(comparisons, critical, primary, lacking=lacking)
    known = {one.metric: one for one in comparisons if one.verdict != "advisory"}
    return Judgement(
        verdict=verdict,
        why=why,
        comparisons=comparisons,
        critical=critical,
        slices=find_slices(deciding, frame.cases) if explore else [],
        dropped_share=max((found.dropped for found in missing.values()), default=0.0),
        repeats_may_settle=verdict == "inconclusive"
        and not lacking
        and bool(primary)
        and all(name in known and _may_settle(known[name]) for name in primary),
        lacks=bool(lacking),
    )


def judge_alone(candidate: Sequence[MetricScores], frame: Frame) -> Judgement:
    """A first release has nothing to be compared with: hold it against the floors of the suite."""
    known = {one.metric: one for one in candidate}
    told = [_against_floor(metric, known.get(metric), frame) for metric in frame.policy.floors]
    primary = primary_metrics(candidate, frame)
    unfloored = [name for name in primary if name not in frame.policy.floors]
    if unfloored or not told:
        names = ", ".join(unfloored) or "any metric"
        lack = f"there is no baseline, and [gate.floors] says nothing of {names}"
        remedy = "name a --baseline, or write down what a first version must reach"
        told.append(_Told("inconclusive", f"{lack}: {remedy}"))
    gaps = [one for one in candidate if one.metric in primary]
    share = _unmeasured_share(gaps)
    if share > frame.policy.most_unmeasured + _SURE:
        told.append(_Told("inconclusive", f"{share:.1%} of the planned rows were not measured"))
    told += [_Told("fail", _broken(one)) for one in safety_findings(candidate, [], frame)]
    told.sort(key=lambda one: _ORDER.index(one.verdict))
    verdict = told[0].verdict
    return Judgement(
        verdict,
        [one.reason for one in told],
        [],
        [],
        [],
        share,
        repeats_may_settle=verdict == "inconclusive"
        and all(one.noisy for one in told if one.verdict == "inconclusive"),
    )


class _Told(NamedTuple):
    """What is said of a floor; `noisy` where more answers could say more."""

    verdict: Verdict
    reason: str
    noisy: bool = False


def _against_floor(metric: str, scores: MetricScores | None, frame: Frame) -> _Told:
    floor = frame.policy.floors[metric]
    if scores is None or frame.advisory.get(metric):
        return _Told("inconclusive", f"{metric}: {frame.advisory.get(metric, 'not measured')}")
    found = frame.corrected.get(metric) or estimate_of(
        scores, frame.clusters, confidence=1 - 2 * frame.policy.alpha
    )
    if found.value is None or found.low is None or found.high is None:
        return _Told("inconclusive", f"{metric}: nothing was measured")
    word = "at least" if scores.higher_is_better else "at most"
    told = f"{metric} {found.value:.3g} ({found.low:.3g} to {found.high:.3g})"
    good, bad = found.low >= floor, found.high < floor
    if not scores.higher_is_better:
        good, bad = found.high <= floor, found.low > floor
    if good:
        return _Told("pass", f"{told} is {word} {floor:g}")
    if bad:
        return _Told("fail", f"{told} is not {word} {floor:g}")
    return _Told(
        "inconclusive", f"{told}: whether it is {word} {floor:g} cannot be told", noisy=True
    )


def _whole(
    comparisons: Sequence[Comparison],
    critical: Sequence[CriticalFinding],
    primary: Sequence[str],
    *,
    lacking: Sequence[str],
) -> tuple[Verdict, list[str]]:
    deciding = [one for one in comparisons if one.primary]
    known = {one.metric for one in deciding}
    failed = [f"{one.metric}: {one.why}" for one in deciding if one.verdict == "fail"]
    failed += [_broken(one) for one in critical]
    open_ends = [
        *lacking,
        *(f"{name}: not measured in both" for name in primary if name not in known),
        *(
            f"{one.metric}: {one.why}"
            for one in deciding
            if one.verdict in {"inconclusive", "advisory"}
        ),
    ]
    if not primary:
        open_ends.append("no metric decides: declare gate.primary, or add an evaluator")
    if failed:
        return "fail", [*failed, *open_ends]
    if open_ends:
        return "inconclusive", open_ends
    return "pass", [f"{one.metric}: {one.why}" for one in deciding]


def _broken(one: CriticalFinding) -> str:
    return f"case {one.case_id}: {one.why}"


def _may_settle(one: Comparison) -> bool:
    return one.verdict == "pass" or one.repeats_may_settle


def _missing(pair: Pair, policy: GatePolicy) -> Missingness:
    """Of the rows that the case asks for on either side; a preference is of both in one."""
    new, old = pair.candidate.status, pair.baseline.status
    if pair.candidate.kind == "preference":
        old = new
    planned = (new != NOT_APPLICABLE) & (old != NOT_APPLICABLE)
    return check_missing(
        new[planned] == MEASURED, old[planned] == MEASURED, most_dropped=policy.most_unmeasured
    )


def _lack(metric: str, found: Missingness) -> str:
    if found.candidate_only != found.baseline_only and found.p < _UNLIKE:
        return (
            f"{metric}: {found.candidate_only} rows lack on the candidate's side alone, "
            f"{found.baseline_only} on the baseline's: that is no chance (p = {found.p:.2g})"
        )
    return f"{metric}: {found.dropped:.1%} of the planned rows were not measured in both"


def _unmeasured_share(metrics: Sequence[MetricScores]) -> float:
    planned = sum(int(np.sum(one.status != NOT_APPLICABLE)) for one in metrics)
    measured = sum(int(np.sum(one.status == MEASURED)) for one in metrics)
    return 1 - measured / planned if planned else 0.0
