"""Whether a judge may gate: only with labels of people that say how good exactly it is."""

from collections.abc import Collection
from typing import Final, NamedTuple

from trimtab.evals.judges.calibration import Calibration, strata_of
from trimtab.stats.agreement import Z95, Agreement, agree

__all__ = ["DEFAULT_POLICY", "Policy", "Standing", "agreement_of", "check_judge"]


class Policy(NamedTuple):
    """What a judge must show.

    Attributes:
        least_labels: so many at least.
        least_kappa: that the lower end of kappa's interval reaches.
        most_unseen: share of rows that may be in pools without a label.
    """

    least_labels: int = 50
    least_kappa: float = 0.6
    most_unseen: float = 0.05


DEFAULT_POLICY: Final = Policy()


class Standing(NamedTuple):
    """Whether a judge may gate.

    Attributes:
        eligible: it may.
        why: the figures, or what is missing and what to do; a sentence.
        agreement: of the judge with people; None without labels for exactly it.
    """

    eligible: bool
    why: str
    agreement: Agreement | None


def agreement_of(
    calibration: Calibration, setup_hash: str | None = None, *, z: float = Z95
) -> Agreement | None:
    """How far the judge agrees with people, over all setups or one; None without a label.

    Args:
        calibration: of the judge.
        setup_hash: only rows of this setup.
        z: of the intervals of shares.
    """
    strata = strata_of(calibration, setup_hash)
    if not any(sum(stratum.labels) for stratum in strata):
        return None
    scale = calibration.judge.scale
    return agree(strata, positive_from=scale.positive_from, linear=scale.linear, z=z)


def check_judge(
    calibration: Calibration | None,
    judge_hash: str,
    served_models: Collection[str],
    *,
    policy: Policy = DEFAULT_POLICY,
) -> Standing:
    """Whether the judge with this hash, answered for by these models, may gate.

    Args:
        calibration: of the evaluator; None where there is none.
        judge_hash: of the judge as the suite has it now.
        served_models: that judged the run; empty where nothing was asked anew.
        policy: what it must show.
    """
    if calibration is None:
        return _no("nobody has checked this judge. Run `trimtab eval calibrate`")
    if calibration.judge.hash != judge_hash:
        return _no(
            "it was calibrated for another rubric, other options or another version. Run "
            "`trimtab eval calibrate`: the labels stay, and the judge is asked anew"
        )
    others = sorted(set(served_models) - {calibration.judge.served_model})
    if others:
        return _no(
            f"it was calibrated with {calibration.judge.served_model}, and {others[0]} judged. Pin "
            "the judge's model, or run `trimtab eval calibrate`"
        )
    agreement = agreement_of(calibration)
    if agreement is None:
        return _no("it has no labels. Run `trimtab eval calibrate`")
    return _by_figures(agreement, policy)


def _by_figures(agreement: Agreement, policy: Policy) -> Standing:
    kappa = agreement.kappa
    if agreement.labels < policy.least_labels:
        missing = policy.least_labels - agreement.labels
        why = f"it has {agreement.labels} labels; label {missing} more"
    elif kappa is None:
        why = "all labels and verdicts are in one category, so chance explains them: label others"
    elif agreement.unseen > policy.most_unseen:
        why = f"{agreement.unseen:.0%} of the rows have a verdict of which none is labelled"
    elif kappa.low < policy.least_kappa:
        why = (
            f"kappa is {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f}) from "
            f"{agreement.labels} labels, and its lower end must reach {policy.least_kappa:g}. "
            f"{_remedy(kappa.value, policy)}"
        )
    else:
        why = (
            f"kappa {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f}) from "
            f"{agreement.labels} labels"
        )
        return Standing(eligible=True, why=why, agreement=agreement)
    return Standing(eligible=False, why=why, agreement=agreement)


def _remedy(kappa: float, policy: Policy) -> str:
    if kappa > policy.least_kappa:
        return "More labels make the interval narrower"
    return "Read the rows on which it differs from people, and make the rubric say what they mean"


def _no(why: str) -> Standing:
    return Standing(eligible=False, why=why, agreement=None)
