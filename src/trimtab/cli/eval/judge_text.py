"""How good a judge is, in lines."""

from collections.abc import Iterator, Mapping
from typing import Final

from trimtab.evals.judges.report import JudgeReport
from trimtab.looks.words import one_line, percent, several
from trimtab.stats.agreement import Share

__all__ = ["judge_lines"]

_MOST: Final = 10


def judge_lines(name: str, report: JudgeReport, others: Mapping[str, int]) -> Iterator[str]:
    """The figures of `docs/judges.md`, and whether the judge may gate.

    Args:
        name: of the evaluator.
        report: of the judge.
        others: rows that other models have judged, by model.
    """
    standing = report.standing
    yield f"{name} {'may gate' if standing.eligible else 'gates nothing'}: {standing.why}."
    for model, rows in others.items():
        yield f"{several(rows, 'row')} judged by {one_line(model)} are left out."
    agreement = standing.agreement
    if agreement is None:
        return
    yield f"  labels        {agreement.labels} by {_names(report.labellers)}{_skipped(report)}"
    yield f"  raw agreement {_share(agreement.raw)}"
    yield f"  majority      {percent(agreement.majority)}, of who always says the commonest"
    if agreement.kappa is not None:
        kappa = agreement.kappa
        yield f"  kappa         {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f})"
    if agreement.sensitivity is not None:
        yield f"  sensitivity   {_share(agreement.sensitivity)}"
    if agreement.specificity is not None:
        yield f"  specificity   {_share(agreement.specificity)}"
    yield from _biases(report)
    for one in report.differing[:_MOST]:
        yield f"  differs: {one.case_id}: people say {one.human}, the judge {one.judge}"
    if len(report.differing) > _MOST:
        yield f"  and {several(len(report.differing) - _MOST, 'row')} more; --json has all"


def _biases(report: JudgeReport) -> Iterator[str]:
    length, position = report.length, report.position
    if length is not None:
        found = "a bias" if length.found else "no bias is shown"
        low, high = 2**length.low, 2**length.high
        yield f"  twice as long odds x{length.odds_of_twice:.2f} ({low:.2f} to {high:.2f}): {found}"
    if position is not None:
        places = f"first {position.first_twice}, second {position.second_twice}"
        consistent = _share(position.consistent)
        yield f"  both orders   {consistent} alike; won twice: {places} (p = {position.p:.2g})"


def _share(share: Share) -> str:
    return f"{percent(share.value)} ({percent(share.low)} to {percent(share.high)})"


def _names(labellers: Mapping[str, int]) -> str:
    return ", ".join(f"{one_line(name)} ({count})" for name, count in labellers.items())


def _skipped(report: JudgeReport) -> str:
    return f", {report.skipped} skipped" if report.skipped else ""
