"""Everything that is known of a judge, in one value: for a command, a page and a report."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from trimtab.evals.judges.bias import ArmErrors, LengthBias, arm_errors, length_bias
from trimtab.evals.judges.calibration import Calibration
from trimtab.evals.judges.eligible import DEFAULT_POLICY, Policy, Standing, check_judge
from trimtab.evals.judges.position import Position, position_of

__all__ = ["Differing", "JudgeReport", "report"]


class Differing(NamedTuple):
    """A row on which people and the judge say different things.

    Attributes:
        case_id, setup_hash, repeat: the row.
        human, judge: what they say, in words of the scale.
    """

    case_id: str
    setup_hash: str
    repeat: int
    human: str
    judge: str


class JudgeReport(NamedTuple):
    """The figures of a judge.

    Attributes:
        standing: whether it may gate, why, and how far it agrees with people.
        length: what length does to it; None where that cannot be told.
        position: what the order of two answers does to it; None where it compares none.
        arms: whether it errs alike on both setups; None where none were named.
        differing: the rows to read, the largest differences first.
        skipped: rows that people could not decide.
        labellers: who labelled, and how many each.
    """

    standing: Standing
    length: LengthBias | None
    position: Position | None
    arms: ArmErrors | None
    differing: list[Differing]
    skipped: int
    labellers: dict[str, int]


def report(
    calibration: Calibration,
    judge_hash: str,
    served_models: Collection[str] = (),
    *,
    policy: Policy = DEFAULT_POLICY,
    setups: tuple[str, str] | None = None,
    mark_labels: Iterable[str] = (),
) -> JudgeReport:
    """The figures.

    Args:
        calibration: of the judge.
        judge_hash: of the judge as the suite has it now.
        served_models: that judged; empty where nothing was asked anew.
        policy: what it must show to gate.
        setups: hashes of candidate and baseline, to see whether it errs alike on both.
        mark_labels: labels of its marks, for a judge that compares two answers in both orders.
    """
    candidate, baseline = setups or ("", "")
    labellers = [label.by for label in calibration.labels]
    return JudgeReport(
        standing=check_judge(calibration, judge_hash, served_models, policy=policy),
        length=length_bias(calibration),
        position=position_of(mark_labels) if calibration.judge.scale.compares else None,
        arms=arm_errors(calibration, candidate=candidate, baseline=baseline) if setups else None,
        differing=_differing(calibration),
        skipped=calibration.skipped,
        labellers={name: labellers.count(name) for name in sorted(set(labellers))},
    )


def _differing(calibration: Calibration) -> list[Differing]:
    scale = calibration.judge.scale
    word = [choice.word for choice in scale.choices]
    if scale.compares:
        word = ["worse", "tie", "better"]
    apart = [
        (abs(scale.category(label.human) - scale.category(label.judge)), label)
        for label in calibration.labels
        if scale.category(label.human) != scale.category(label.judge)
    ]
    apart.sort(key=lambda pair: (-pair[0], pair[1].case_id, pair[1].key))
    return [
        Differing(
            label.case_id,
            label.setup_hash,
            label.repeat,
            word[scale.category(label.human)],
            word[scale.category(label.judge)],
        )
        for _, label in apart
    ]
