"""What a judge lets itself be swayed by, beside the answer: its length, and whose answer it is."""

from math import log, sqrt
from statistics import fmean, pstdev
from typing import Final, NamedTuple

import numpy as np

from trimtab.evals.judges.calibration import Calibration, Label
from trimtab.evals.judges.eligible import agreement_of
from trimtab.stats.agreement import Z95, Share
from trimtab.stats.firth import firth_logistic

__all__ = ["ArmErrors", "Difference", "LengthBias", "arm_errors", "length_bias"]

_Z_OF_TWO: Final = 2.241402727604945  # two-sided at 97.5 %, so that two intervals hold at 95 %
_FEWEST: Final = 10
_LEAST_SPREAD: Final = 0.1  # of logarithms: below a tenth lengths say nothing of twice as long


class LengthBias(NamedTuple):
    """How length moves a verdict among answers that people call equally good.

    Attributes:
        slope: of the logit of a positive verdict on the logarithm of the length; for two answers,
            of a win on the logarithm of the ratio of lengths.
        low, high: of its interval at 95 %.
        labels: that it is from.
    """

    slope: float
    low: float
    high: float
    labels: int

    @property
    def odds_of_twice(self) -> float:
        """By how much the odds of a good verdict grow with an answer twice as long."""
        return float(2**self.slope)

    @property
    def found(self) -> bool:
        """Whether there is one beyond chance."""
        return self.low > 0 or self.high < 0


class Difference(NamedTuple):
    """Candidate minus baseline, with the interval of Newcombe's method 10 for two shares.

    Newcombe, "Interval estimation for the difference between independent proportions" (Statistics
    in Medicine 17, 1998); at 97.5 %, so that two of them hold together at 95 %.
    """

    value: float
    low: float
    high: float

    @property
    def found(self) -> bool:
        """Whether the two are told apart."""
        return self.low > 0 or self.high < 0


class ArmErrors(NamedTuple):
    """Whether the judge errs alike on two setups; None where labels of one side are missing.

    Attributes:
        sensitivity, specificity: their differences. Where one is found, a difference between the
            setups may be the judge's, and is not to be trusted. Where none is, the interval says
            how large one may still be.
    """

    sensitivity: Difference | None
    specificity: Difference | None

    @property
    def told_apart(self) -> bool:
        """Whether the judge is known to err differently."""
        return any(one is not None and one.found for one in self)


def length_bias(calibration: Calibration) -> LengthBias | None:
    """The slope on length, given what people say; None where verdicts or lengths hardly vary.

    A logistic regression with Firth's penalty: see `stats.firth`. That labels are drawn by verdict
    moves only its constant (Prentice and Pyke, "Logistic disease incidence models and case-control
    studies", Biometrika 66, 1979). Ties of preferences tell nothing here and are left out.
    """
    scale = calibration.judge.scale
    lengths: list[float] = []
    humans: list[float] = []
    verdicts: list[float] = []
    for label in calibration.labels:
        if scale.compares and scale.category(label.judge) == 1:
            continue
        lengths.append(_length(label))
        humans.append(label.human)
        from_index = 1 if scale.positive_from is None else scale.positive_from
        verdicts.append(float(scale.category(label.judge) >= from_index))
    if len(verdicts) < _FEWEST or len(set(verdicts)) < 2 or pstdev(lengths) < _LEAST_SPREAD:
        return None
    middle = fmean(lengths)
    rows = [(1.0, x - middle, human) for x, human in zip(lengths, humans, strict=True)]
    told = 3 if len(set(humans)) > 1 else 2
    try:
        fit = firth_logistic(np.array(rows)[:, :told], np.array(verdicts))
    except ValueError:  # lengths go with labels so closely that nothing tells the two apart
        return None
    slope, half = fit.coefficients[1], Z95 * fit.se[1]
    return LengthBias(slope, slope - half, slope + half, len(verdicts))


def arm_errors(calibration: Calibration, *, candidate: str, baseline: str) -> ArmErrors:
    """Compare the judge's errors on two setups, by their hashes.

    A difference between two setups that a judge has measured is theirs only if the judge errs alike
    on both.
    """
    ours = agreement_of(calibration, candidate, z=_Z_OF_TWO)
    theirs = agreement_of(calibration, baseline, z=_Z_OF_TWO)
    if ours is None or theirs is None:
        return ArmErrors(None, None)
    return ArmErrors(
        _difference(ours.sensitivity, theirs.sensitivity),
        _difference(ours.specificity, theirs.specificity),
    )


def _length(label: Label) -> float:
    own = log(max(label.characters, 1))
    if label.baseline_characters is None:
        return own
    return own - log(max(label.baseline_characters, 1))


def _difference(one: Share | None, other: Share | None) -> Difference | None:
    if one is None or other is None:
        return None
    value = one.value - other.value
    down = sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    up = sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return Difference(value, value - down, value + up)
