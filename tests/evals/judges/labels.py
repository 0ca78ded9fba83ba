"""Judged rows, and calibrations with labels, for tests."""

from collections.abc import Sequence

import msgspec

from trimtab.evals.judges.calibration import Calibration, Judge, Label, Pool
from trimtab.evals.judges.labelling import Item
from trimtab.types.experiments import MetricKind

__all__ = ["BASELINE", "CANDIDATE", "JUDGE", "calibration_of", "item_of", "judge_of"]

CANDIDATE, BASELINE = "c" * 64, "b" * 64

JUDGE = Judge(
    evaluator="tone",
    use="rubric",
    kind="rate",
    higher_is_better=True,
    hash="h" * 64,
    served_model="local:judge-1",
)


def judge_of(kind: MetricKind, *, higher_is_better: bool = True) -> Judge:
    """A judge whose values are of this kind."""
    return msgspec.structs.replace(JUDGE, kind=kind, higher_is_better=higher_is_better)


def item_of(
    number: int,
    verdict: float,
    *,
    setup: str = CANDIDATE,
    repeat: int = 0,
    baseline: str | None = None,
) -> Item:
    """A row of case `c<number>`."""
    return Item(
        setup_hash=setup,
        case_id=f"c{number}",
        case_hash=f"{number:064}",
        repeat=repeat,
        asked=f"Question {number}?",
        text=f"Answer {number} of {setup[:1]}, {repeat}.",
        baseline_text=baseline,
        verdict=verdict,
    )


def calibration_of(
    said: Sequence[tuple[float, float]],
    *,
    judge: Judge = JUDGE,
    setup: str = CANDIDATE,
    lengths: Sequence[int] | None = None,
    rows: dict[float, int] | None = None,
) -> Calibration:
    """Labels: what people say, and what the judge says.

    Args:
        said: of each label.
        judge: whose.
        setup: of all of them.
        lengths: of the answers.
        rows: by verdict, how many there are; as many as labels without it.
    """
    verdicts = [verdict for _, verdict in said]
    rows = rows or {verdict: verdicts.count(verdict) for verdict in verdicts}
    labels = [
        Label(
            key=f"{setup[:1]}{number}",
            setup_hash=setup,
            case_id=f"c{number}",
            case_hash=f"{number:064}",
            repeat=0,
            human=human,
            judge=verdict,
            characters=lengths[number] if lengths else 100,
            baseline_characters=100 if judge.kind == "preference" else None,
            by="ada" if number % 3 else "kim",
            at="2026-11-30T10:00:00Z",
        )
        for number, (human, verdict) in enumerate(said)
    ]
    pools = [
        Pool(setup_hash=setup, verdict=verdict, rows=rows[verdict]) for verdict in sorted(rows)
    ]
    return Calibration(judge=judge, population=pools, labels=labels)
