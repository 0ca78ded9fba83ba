"""Candidate against baseline, metric by metric, on the cases that were measured in both."""

from collections.abc import Sequence
from math import log
from typing import Final, NamedTuple

import numpy as np

from trimtab.datasets.suite import GatePolicy
from trimtab.evals.figures import estimate_of
from trimtab.evals.frame import Frame
from trimtab.evals.result import Comparison, MetricVerdict
from trimtab.evals.scores import MEASURED, NOT_APPLICABLE, MetricScores
from trimtab.stats.margins import (
    MARGINS,
    Decision,
    Goal,
    Sides,
    compare_preferences,
    compare_sides,
    verdict_of,
)
from trimtab.stats.mean_bounds import cases_to_see
from trimtab.stats.multiple import holm
from trimtab.stats.units import Floats, Labels

__all__ = ["MARGIN_ELSE", "Pair", "compare_metrics", "margin_of", "measured_rows"]

MARGIN_ELSE: Final = {"rate": 0.05, "score": 0.05, "amount": 1.10, "preference": 0.10}
"""How much worse is good enough for metrics that have no default of their own."""


class Pair(NamedTuple):
    """One metric of both setups.

    Attributes:
        candidate, baseline: the same metric, cases in the same order.
        primary: it decides.
        advisory: why it must not; "" where it may.
    """

    candidate: MetricScores
    baseline: MetricScores
    primary: bool
    advisory: str


def margin_of(metric: str, kind: str, policy: GatePolicy) -> float:
    """How much worse is good enough."""
    return policy.margins.get(metric) or MARGINS.get(metric) or MARGIN_ELSE[kind]


def measured_rows(scores: MetricScores) -> Floats:
    """(cases, repeats): the values, NaN where nothing was measured."""
    return np.where(scores.status == MEASURED, scores.values, np.nan)


def compare_metrics(pairs: Sequence[Pair], frame: Frame) -> list[Comparison]:
    """The verdict of each metric.

    Those that decide are one family: a drop in one of them counts after Holm's correction. To pass
    needs no correction, for all of them must (intersection-union).
    """
    clusters = frame.clusters
    decisions = [_decide(pair, clusters, frame.policy) for pair in pairs]
    family = [at for at, pair in enumerate(pairs) if pair.primary and not pair.advisory]
    adjusted = dict(zip(family, holm([decisions[at].p_drop for at in family]), strict=True))
    return [
        _comparison(pair, frame, (decisions[at], adjusted.get(at, decisions[at].p_drop)))
        for at, pair in enumerate(pairs)
    ]


def _decide(pair: Pair, clusters: Labels, policy: GatePolicy) -> Decision:
    new = pair.candidate
    margin = margin_of(new.metric, new.kind, policy)
    if new.kind == "preference":
        return compare_preferences(measured_rows(new), clusters, margin=margin, alpha=policy.alpha)
    sides = Sides(measured_rows(new), measured_rows(pair.baseline), clusters)
    goal = Goal(new.kind, margin, higher_is_better=new.higher_is_better, alpha=policy.alpha)
    return compare_sides(sides, goal)


def _comparison(pair: Pair, frame: Frame, found: tuple[Decision, float]) -> Comparison:
    decision, p_drop = found
    new, policy, clusters = pair.candidate, frame.policy, frame.clusters
    verdict: MetricVerdict = verdict_of(
        p_margin=decision.p_margin, p_drop=p_drop, alpha=policy.alpha
    )
    why = _why(decision, p_drop=p_drop, alpha=policy.alpha)
    if pair.advisory:
        verdict, why = "advisory", f"{pair.advisory} By itself it would say: {why}"
    return Comparison(
        metric=new.metric,
        kind=new.kind,
        higher_is_better=new.higher_is_better,
        primary=pair.primary,
        candidate=estimate_of(_in_both(new, pair.baseline), clusters),
        baseline=estimate_of(_in_both(pair.baseline, new), clusters),
        difference=decision.difference,
        low=decision.low,
        high=decision.high,
        margin=margin_of(new.metric, new.kind, policy),
        cases=decision.cases,
        correlation=decision.correlation,
        p_drop=p_drop,
        p_margin=decision.p_margin,
        verdict=verdict,
        why=why,
        resolve=_resolve(decision) if verdict == "inconclusive" else "",
        repeats_may_settle=verdict == "inconclusive" and _repeats_may_settle(decision, pair, frame),
        method=decision.method,
    )


def _in_both(scores: MetricScores, other: MetricScores) -> MetricScores:
    """Only the cases that the other setup has measured too."""
    if scores.kind == "preference":
        return scores
    lacking = ~(other.status == MEASURED).any(axis=1)
    status = scores.status.copy()
    status[lacking] = NOT_APPLICABLE
    return scores._replace(status=status)


def _why(decision: Decision, *, p_drop: float, alpha: float) -> str:
    if not decision.cases:
        return "no case was measured in both"
    match verdict_of(p_margin=decision.p_margin, p_drop=p_drop, alpha=alpha):
        case "pass":
            return "certainly not worse by the margin"
        case "fail":
            return f"really worse (p = {p_drop:.2g})"
        case "inconclusive":
            return "neither a drop nor its absence can be told from these cases"


def _repeats_may_settle(decision: Decision, pair: Pair, frame: Frame) -> bool:
    """With one answer to each case nobody knows their noise, but so few cases can be too few."""
    if decision.needed is None or decision.difference is None:
        return False
    if decision.needed.repeats is not None:
        return True
    new = pair.candidate
    if max(rows.shape[1] for rows in (new.values, pair.baseline.values)) > 1:
        return False
    margin, gained = margin_of(new.metric, new.kind, frame.policy), decision.difference
    if new.kind == "amount":
        margin, gained = log(margin), log(gained)
    gained = max(gained if new.higher_is_better else -gained, 0.0)
    needed = cases_to_see((margin + gained) / (1 + gained), alpha=frame.policy.alpha)
    return decision.clusters >= needed


def _resolve(decision: Decision) -> str:
    needed = decision.needed
    if needed is None:
        return ""
    more = f"about {needed.cases:,} cases like these"
    if needed.repeats is not None:
        more += f", or {needed.repeats:,} repeats of each"
    return more
