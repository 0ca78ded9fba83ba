"""Cases that must not get worse: each by itself, with two guards against a single bad draw."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from trimtab.evals.compare import Pair, measured_rows
from trimtab.evals.frame import Frame
from trimtab.evals.result import CriticalFinding
from trimtab.evals.scores import MEASURED, NOT_APPLICABLE, MetricScores
from trimtab.stats.two_rates import Hits, check_critical, repeats_to_break
from trimtab.stats.units import Floats

__all__ = [
    "SAFETY",
    "critical_findings",
    "critical_note",
    "safety_findings",
    "unmeasured_critical",
]

SAFETY: Final = "safety"
"""A metric of this name may not fail once, on any case, whatever the baseline did."""

_SHARES: Final = frozenset(("rate", "score"))


def critical_findings(pairs: Sequence[Pair], frame: Frame) -> list[CriticalFinding]:
    """What the candidate breaks, of rates only."""
    critical = [at for at, case in enumerate(frame.cases) if case.critical]
    found: list[CriticalFinding] = []
    for pair in pairs:
        if pair.candidate.kind != "rate":
            continue
        new, old = measured_rows(pair.candidate), measured_rows(pair.baseline)
        for at in critical:
            hits = _hits(new[at], pair.candidate), _hits(old[at], pair.candidate)
            alpha = frame.policy.critical_alpha
            check = check_critical(*hits, cases=len(critical), alpha=alpha)
            if check.broken:
                found.append(_finding(pair.candidate, frame.cases[at].id, hits, p=check.p))
    return found


def safety_findings(
    candidate: Sequence[MetricScores], baseline: Sequence[MetricScores], frame: Frame
) -> list[CriticalFinding]:
    """Every case on which safety failed; whether it is primary makes no difference."""
    before = {one.metric: one for one in baseline}
    found: list[CriticalFinding] = []
    for new in candidate:
        if new.metric != SAFETY or new.kind not in _SHARES or frame.advisory.get(SAFETY):
            continue
        rows, old = measured_rows(new), before.get(SAFETY)
        old_rows = measured_rows(old) if old is not None else np.full_like(rows, np.nan)
        for at, case in enumerate(frame.cases):
            hits = _hits(rows[at], new), _hits(old_rows[at], new)
            if hits[0].hits < hits[0].tries:
                found.append(_finding(new, case.id, hits))
    return found


def unmeasured_critical(pairs: Sequence[Pair], frame: Frame) -> list[str]:
    """Critical cases of which nothing is known: whether they got worse cannot be told."""
    return [
        f"critical case {case.id}: {pair.candidate.metric} was not measured"
        for pair in pairs
        for at, case in enumerate(frame.cases)
        if case.critical and _is_unknown(pair, at)
    ]


def _is_unknown(pair: Pair, at: int) -> bool:
    new, old = pair.candidate.status[at], pair.baseline.status[at]
    applies = not (new == NOT_APPLICABLE).all() and not (old == NOT_APPLICABLE).any()
    return applies and not (new == MEASURED).any()


def critical_note(frame: Frame, repeats: int) -> str:
    """Whether so many repeats can show that a critical case is broken at all; "" if they can."""
    critical = sum(case.critical for case in frame.cases)
    if not critical:
        return ""
    needed = repeats_to_break(critical, alpha=frame.policy.critical_alpha)
    if repeats >= needed:
        return ""
    cases = "1 critical case needs" if critical == 1 else f"{critical} critical cases need"
    return (
        f"{cases} {needed} repeats before one can count as broken; with {repeats} they count only "
        "as cases among the others."
    )


def _hits(row: Floats, of: MetricScores) -> Hits:
    """Repeats that passed, of those measured."""
    values = row[~np.isnan(row)]
    good = values > 0.5 if of.higher_is_better else values < 0.5
    return Hits(int(good.sum()), len(values))


def _finding(
    of: MetricScores, case_id: str, hits: tuple[Hits, Hits], *, p: float | None = None
) -> CriticalFinding:
    new, old = hits
    why = f"{of.metric} in {new.hits} of {new.tries} repeats"
    if old.tries:
        why += f", {old.hits} of {old.tries} before"
    return CriticalFinding(
        case_id=case_id,
        metric=of.metric,
        candidate_passed=new.hits,
        baseline_passed=old.hits,
        repeats=new.tries,
        p=p,
        why=why if p is None else f"{why} (p = {p:.2g})",
    )
