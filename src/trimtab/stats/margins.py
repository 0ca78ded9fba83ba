"""Is the candidate no worse than the baseline, by more than a margin? Pure.

A metric passes where the one-sided lower bound of candidate - baseline, in the direction in which
more is better, is above `-margin`; it fails where there is a real drop; else the data cannot
tell. A drop that is real and certainly smaller than the margin passes: how much worse is good
enough was decided by who set it.

Wins, ties and losses are counted, never averaged: the record of four wins in seven says the same
whether they were narrow or wide. Amounts are compared by the logarithm, as a ratio.
"""

from math import exp, log
from typing import Final, Literal, NamedTuple

import numpy as np

from trimtab.stats.gains import Gains, gains_of, weigh_counts, weigh_means
from trimtab.stats.paired import correlation_of
from trimtab.stats.settle import Needed, RepeatNoise, needed_to_settle, repeat_noise
from trimtab.stats.units import Floats, Labels, case_scores, keep, measured_repeats

__all__ = [
    "ALPHA",
    "MARGINS",
    "Decision",
    "Goal",
    "Sides",
    "Verdict",
    "compare_preferences",
    "compare_sides",
    "verdict_of",
]

ALPHA: Final = 0.05
"""One-sided."""

MARGINS: Final = {
    "accuracy": 0.05,
    "format": 0.02,
    "refusal": 0.02,
    "hallucination": 0.03,
    "latency": 1.10,
    "cost": 1.10,
}
"""How much worse is good enough where a suite does not say: shares, and ratios of amounts."""

Verdict = Literal["pass", "fail", "inconclusive"]


class Sides(NamedTuple):
    """One metric of two setups.

    Attributes:
        candidate, baseline: shape (cases, repeats) each, the same cases in the same order; NaN
            where nothing was measured. The numbers of repeats may differ.
        clusters: of the cases; without them each is its own.
    """

    candidate: Floats
    baseline: Floats
    clusters: Labels | None = None


class Goal(NamedTuple):
    """What is asked of a metric.

    Attributes:
        kind: `rate` 0 or 1; `score` from 0 to 1; `amount` above 0.
        margin: above 0 and below 1; of an amount a ratio above 1 and below 2.7.
        higher_is_better: of the values.
        alpha: one-sided, below 0.5.
    """

    kind: Literal["rate", "score", "amount"]
    margin: float
    higher_is_better: bool = True
    alpha: float = ALPHA


class Decision(NamedTuple):
    """Candidate against baseline.

    Attributes:
        verdict: by `p_margin` and `p_drop` as they are, without correction for other metrics.
        difference: candidate - baseline over the cases measured in both; of amounts the ratio of
            geometric means; None where there is no case.
        low, high: two-sided at 1 - 2 alpha, so that each is a one-sided bound; None where nothing
            bounds an amount.
        p_drop: one-sided, of no drop.
        p_margin: one-sided, of a drop by the margin or more; below alpha where it passes.
        cases: measured in both.
        clusters: independent units among them.
        correlation: of both setups' scores; None where one does not vary, and of preferences.
        method: in a few words.
        needed: what would settle it, should it be inconclusive after a correction; None where it
            passes, and where there is no case.
    """

    verdict: Verdict
    difference: float | None
    low: float | None
    high: float | None
    p_drop: float
    p_margin: float
    cases: int
    clusters: int
    correlation: float | None
    method: str
    needed: Needed | None


def verdict_of(*, p_margin: float, p_drop: float, alpha: float = ALPHA) -> Verdict:
    """The verdict; `p_drop` after Holm's correction where it belongs to a family."""
    if p_margin < alpha:
        return "pass"
    return "fail" if p_drop < alpha else "inconclusive"


def compare_sides(sides: Sides, goal: Goal) -> Decision:
    """Hold a candidate against a baseline, on the cases measured in both.

    Raises:
        ValueError: a value is not of the kind, the margin or alpha is out of range, or there are
            different numbers of cases.
    """
    margin = _margin_of(goal)
    _check(sides, goal)
    if goal.kind == "amount":
        sides = sides._replace(candidate=np.log(sides.candidate), baseline=np.log(sides.baseline))
    sides = _in_both(sides)
    new, old = case_scores(sides.candidate), case_scores(sides.baseline)
    gains = gains_of(new - old if goal.higher_is_better else old - new, sides.clusters)
    counted = goal.kind == "rate" and gains.independent and _single(sides)
    decision = _decide(gains, (margin, goal.alpha), counted=counted)
    if decision.verdict != "pass":
        noise = repeat_noise(sides.candidate, sides.baseline)
        decision = decision._replace(needed=_needed(gains, (margin, goal.alpha), noise))
    return _as_measured(decision._replace(correlation=correlation_of(new, old)), goal)


def compare_preferences(
    preferences: Floats, clusters: Labels | None = None, *, margin: float, alpha: float = ALPHA
) -> Decision:
    """Hold wins against losses; the difference is wins - losses as a share of all cases.

    A case is won where more of its repeats were won than lost. Only the sign of a preference
    counts, not its size.

    Args:
        preferences: shape (cases, repeats): above 0 where the candidate is preferred, below 0
            where the baseline is, 0 of a tie; NaN where nothing was measured.
        clusters: of the cases.
        margin: above 0 and below 1.
        alpha: one-sided, below 0.5.

    Raises:
        ValueError: the margin or alpha is out of range.
    """
    goal = Goal("rate", margin, alpha=alpha)
    asked = (_margin_of(goal), alpha)
    scores = case_scores(np.sign(preferences))
    which = ~np.isnan(scores)
    gains = gains_of(np.sign(scores[which]), keep(clusters, which))
    decision = _decide(gains, asked, counted=gains.independent)
    if decision.verdict != "pass":
        decision = decision._replace(needed=_needed(gains, asked, None))
    return _as_measured(decision, goal)


def _decide(gains: Gains, asked: tuple[float, float], *, counted: bool) -> Decision:
    """In the direction in which more is better, before anything is turned back."""
    margin, alpha = asked
    weigh = weigh_counts if counted else weigh_means
    tested = weigh(gains, margin=margin, alpha=alpha)
    cases = len(gains.values)
    return Decision(
        verdict_of(p_margin=tested.p_margin, p_drop=tested.p_drop, alpha=alpha),
        gains.moments.mean if cases else None,
        tested.low,
        tested.high,
        tested.p_drop,
        tested.p_margin,
        cases,
        gains.moments.units,
        None,
        tested.method,
        None,
    )


def _needed(gains: Gains, asked: tuple[float, float], noise: RepeatNoise | None) -> Needed | None:
    margin, alpha = asked
    cases = len(gains.values)
    if not cases:
        return None
    return needed_to_settle(gains.moments, cases, noise, margin=margin, alpha=alpha)


def _as_measured(decision: Decision, goal: Goal) -> Decision:
    """Turn the difference and its bounds back into the direction and unit of the values."""
    ends = [decision.difference, decision.low, decision.high]
    if not goal.higher_is_better:
        ends = [None if end is None else -end for end in (ends[0], ends[2], ends[1])]
    if goal.kind == "amount":
        ends = [None if end is None or not np.isfinite(end) else exp(end) for end in ends]
    else:
        ends = [None if end is None else min(max(end, -1.0), 1.0) for end in ends]
    return decision._replace(difference=ends[0], low=ends[1], high=ends[2])


def _in_both(sides: Sides) -> Sides:
    which = (measured_repeats(sides.candidate) > 0) & (measured_repeats(sides.baseline) > 0)
    return Sides(sides.candidate[which], sides.baseline[which], keep(sides.clusters, which))


def _single(sides: Sides) -> bool:
    counts = [measured_repeats(rows).max(initial=0) for rows in (sides.candidate, sides.baseline)]
    return max(counts) <= 1


def _margin_of(goal: Goal) -> float:
    """On the scale of comparison."""
    if not 0 < goal.alpha < 0.5:
        raise ValueError(f"alpha is {goal.alpha}; it must be above 0 and below 0.5.")
    margin = log(goal.margin) if goal.kind == "amount" and goal.margin > 0 else goal.margin
    if not 0 < margin < 1:
        wanted = "a ratio above 1 and below 2.7" if goal.kind == "amount" else "between 0 and 1"
        raise ValueError(f"The margin is {goal.margin}; it must be {wanted}.")
    return margin


def _check(sides: Sides, goal: Goal) -> None:
    if len(sides.candidate) != len(sides.baseline):
        raise ValueError(
            f"{len(sides.candidate)} cases of the candidate, {len(sides.baseline)} of the baseline."
        )
    for rows in (sides.candidate, sides.baseline):
        values = rows[~np.isnan(rows)]
        if goal.kind == "rate" and not np.isin(values, (0.0, 1.0)).all():
            raise ValueError("A value of a rate is neither 0 nor 1.")
        if goal.kind == "score" and not ((values >= 0) & (values <= 1)).all():
            raise ValueError("A score is outside 0 to 1.")
        if goal.kind == "amount" and not ((values > 0) & (values < np.inf)).all():
            raise ValueError("An amount is 0, negative or infinite, so that it has no ratio.")
