"""From scores and a judgement to the result that reports show."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.datasets.case import Case
from trimtab.evals.collect import Collected, Work
from trimtab.evals.critical import critical_note
from trimtab.evals.figures import figures_of
from trimtab.evals.frame import Frame
from trimtab.evals.gate import Judgement, primary_metrics
from trimtab.evals.looks import Look
from trimtab.evals.result import CaseResult, Result, Side, Stopped
from trimtab.evals.scores import MetricScores, Scores
from trimtab.evals.sides import read_sides
from trimtab.types.clock import NS_PER_S
from trimtab.types.experiments import Experiment

__all__ = ["Account", "Finished", "build_result"]

_MOST_CASES: Final = 500
_NO_JUDGEMENT: Final = Judgement("inconclusive", [], [], [], [], 0.0)
_STOPPED: Final[dict[Stopped, str]] = {
    "budget": "The budget ended the run before all rows were there; run it again to go on.",
    "told": "The run was ended before all rows were there; run it again to go on.",
    "down": "The run gave up, for nothing was answered any more; run it again to go on. The last ",
}


class Finished(NamedTuple):
    """An experiment that is over.

    Attributes:
        experiment: which.
        look: at which it was over.
        work: what was to be collected.
        collected: what was.
        judgement: of a gate; None for a run of one setup.
        frame: cases, policy, and what only advises.
        notes: what a reader must know of it.
    """

    experiment: Experiment
    look: Look
    work: Work
    collected: Collected
    judgement: Judgement | None
    frame: Frame
    notes: list[str]


class Account(NamedTuple):
    """What is told beside the scores.

    Attributes:
        asked: gives the user's side of a case.
        why_not: why headline metrics are not measured.
        detects: the smallest difference that the design can find, by metric.
        took_s: from start to end.
        notes: what a reader must know.
    """

    asked: Callable[[Case], str]
    why_not: dict[str, str]
    detects: dict[str, float]
    took_s: float
    notes: list[str]


def build_result(finished: Finished, account: Account) -> Result:
    """Everything that a report shows; texts are read for the cases that it shows only."""
    collected, frame = finished.collected, finished.frame
    judgement = finished.judgement or _NO_JUDGEMENT
    facts = [one.facts for one in _sides(collected)]
    started_s = finished.experiment.started_ns / NS_PER_S
    return Result(
        experiment=finished.experiment,
        verdict=judgement.verdict if finished.judgement is not None else "",
        why=judgement.why,
        figures=figures_of(
            collected.candidate.metrics(),
            frame,
            why_not=account.why_not,
        ),
        comparisons=judgement.comparisons,
        critical=judgement.critical,
        slices=judgement.slices,
        cases=_case_results(finished, account),
        cases_total=len(frame.cases),
        planned=collected.planned,
        answered=sum(int(one.answered.sum()) for one in facts),
        failed=sum(int(one.failed.sum()) for one in facts),
        reused=sum(int((one.at_s < started_s).sum()) for one in facts),
        dropped_share=judgement.dropped_share,
        spent_nanousd=collected.spent_nanousd,
        judge_nanousd=collected.judge_nanousd,
        took_s=account.took_s,
        detects=account.detects,
        notes=[*account.notes, *_notes(finished)],
        stopped=collected.stopped,
    )


def _sides(collected: Collected) -> list[Scores]:
    """Each setup once."""
    found = {collected.candidate.setup_hash: collected.candidate}
    if collected.baseline is not None:
        found.setdefault(collected.baseline.setup_hash, collected.baseline)
    return list(found.values())


def _case_results(finished: Finished, account: Account) -> list[CaseResult]:
    collected, cases = finished.collected, finished.frame.cases
    places = _telling(finished)
    new = read_sides(collected.candidate, places)
    old: dict[int, Side] = {}
    if collected.baseline is not None:
        old = read_sides(collected.baseline, places)
    return [
        CaseResult(
            case_id=cases[place].id,
            cluster=cases[place].cluster,
            tags=cases[place].tags,
            critical=cases[place].critical,
            asked=account.asked(cases[place]),
            candidate=new[place],
            baseline=old.get(place),
        )
        for place in places
    ]


def _telling(finished: Finished) -> list[int]:
    """The places of the cases that are shown, those with most to see first."""
    collected, frame = finished.collected, finished.frame
    new, judgement = collected.candidate, finished.judgement
    old = {} if collected.baseline is None else _named(collected.baseline)
    weights = 0.5 * new.facts.failed.any(axis=1)
    for name in primary_metrics(new.metrics(), frame):
        one = _named(new).get(name)
        if one is not None and one.kind != "amount":
            weights += _weight(one, old.get(name))
    broken = {one.case_id for one in judgement.critical} if judgement is not None else set[str]()
    weights += np.array([100.0 * (case.id in broken) for case in frame.cases])
    order = np.argsort(-weights, kind="stable")
    return [int(place) for place in order[:_MOST_CASES]]


def _weight(new: MetricScores, old: MetricScores | None) -> NDArray[np.float64]:
    """How much there is to see: a difference first, else how bad it is."""
    means = new.case_means()
    bad = np.nan_to_num(1 - means if new.higher_is_better else means, nan=0.0)
    if old is None or new.kind == "preference":
        return bad
    return 10 * np.abs(np.nan_to_num(means - old.case_means(), nan=0.0)) + bad


def _named(scores: Scores) -> dict[str, MetricScores]:
    return {one.metric: one for one in scores.metrics()}


def _notes(finished: Finished) -> list[str]:
    collected = finished.collected
    notes: list[str] = []
    if collected.stopped:
        notes.append(f"{_STOPPED[collected.stopped]}{collected.trouble}")
    for name, scores in (("candidate", collected.candidate), ("baseline", collected.baseline)):
        if scores is not None and scores.set_aside:
            notes.append(
                f"{scores.set_aside} rows of the {name} were answered by another model than "
                f"{scores.served_model}, which serves now, and are left out."
            )
    if finished.look.kind != "early":
        notes.append(critical_note(finished.frame, finished.look.repeats))
    return [note for note in notes if note]
