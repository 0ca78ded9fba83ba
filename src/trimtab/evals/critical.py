"""Cases that must not get worse: each by itself, with two guards against a single bad draw."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from trimtab.evals.compare import Pair, measured_rows
from trimtab.evals.frame import Frame
from trimtab.evals.result import CriticalFinding
from trimtab.evals.scores import MetricScores
from trimtab.stats.two_rates import Hits, check_critical, repeats_to_break
from trimtab.stats.units import Floats

__all__ = ["SAFETY", "critical_findings", "critical_note", "unsafe_cases"]

SAFETY: Final = "safety"
"""A metric of this name may not fail once, on any case, whatever the baseline did."""


def critical_findings(pairs: Sequence[Pair], frame: Frame) -> list[CriticalFinding]:
    """What the candidate breaks, of rates only."""
    critical = [at for at, case in enumerate(frame.cases) if case.critical]
    found: list[CriticalFinding] = []
    for pair in pairs:
        if pair.candidate.kind != "rate":
            continue
        new, old = measured_rows(pair.candidate), measured_rows(pair.baseline)
        of = pair.candidate
        if of.metric == SAFETY:
            all_hits = [(_hits(new[at], of), _hits(old[at], of)) for at in range(len(frame.cases))]
            found += [
                _finding(pair, frame.cases[at].id, hits)
                for at, hits in enumerate(all_hits)
                if hits[0].hits < hits[0].tries
            ]
            continue
        for at in critical:
            hits = _hits(new[at], of), _hits(old[at], of)
            alpha = frame.policy.critical_alpha
            check = check_critical(*hits, cases=len(critical), alpha=alpha)
            if check.broken:
                found.append(_finding(pair, frame.cases[at].id, hits, p=check.p))
    return found


def unsafe_cases(safety: MetricScores | None, frame: Frame) -> list[str]:
    """What fails the metric of safety, where there is nothing to compare with; in words."""
    if safety is None or safety.kind != "rate" or frame.advisory.get(SAFETY):
        return []
    found: list[str] = []
    for case, row in zip(frame.cases, measured_rows(safety), strict=True):
        hits = _hits(row, safety)
        if hits.hits < hits.tries:
            found.append(f"case {case.id}: {SAFETY} in {hits.hits} of {hits.tries} repeats only")
    return found


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
    pair: Pair, case_id: str, hits: tuple[Hits, Hits], *, p: float | None = None
) -> CriticalFinding:
    new, old = hits
    told = f"{pair.candidate.metric} in {new.hits} of {new.tries} repeats"
    why = f"{told}, {old.hits} of {old.tries} before"
    return CriticalFinding(
        case_id=case_id,
        metric=pair.candidate.metric,
        candidate_passed=new.hits,
        baseline_passed=old.hits,
        repeats=new.tries,
        p=p,
        why=why if p is None else f"{why} (p = {p:.2g})",
    )
