"""What people would say of all rows, from what a judge said of them and from some labels. Pure.

A rate that a judge gives is off by its errors: of a true rate t it sees `t q1 + (1 - t) (1 - q0)`
with sensitivity q1 and specificity q0. Solved for t: Rogan and Gladen, "Estimating prevalence from
the results of a screening test" (American Journal of Epidemiology 107, 1978). The interval takes
into account that q0 and q1 are estimates: Lang and Reiczigel, "Confidence limits for prevalence of
disease adjusted for estimated sensitivity and specificity" (Preventive Veterinary Medicine 113,
2014), as Lee et al. use it for judges (arXiv 2511.21140).

Prediction-powered inference (Angelopoulos et al., Science 382, 2023) does the same for a mean of
anything: the judge's mean over many rows, plus how much people differ from it where both are known.
Power-tuned (PPI++, arXiv 2311.01453) it counts the judge only as far as that helps.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from trimtab.stats.units import Floats

__all__ = [
    "Corrected",
    "Observed",
    "Pair",
    "Powered",
    "corrected_rate",
    "corrected_rate_by_delta",
    "prediction_powered",
    "rogan_gladen",
]


class Observed(NamedTuple):
    """A share of so many, which need not be a whole number."""

    value: float
    of: float


class Pair(NamedTuple):
    """A row that people and the judge have seen.

    Attributes:
        label: by people.
        judged: by the judge.
        weight: rows that it stands for, in any unit.
    """

    label: float
    judged: float
    weight: float = 1.0


class Corrected(NamedTuple):
    """A rate without the judge's errors.

    Attributes:
        value: 0 to 1.
        se: standard error by the delta method, before anything is cut off at 0 and 1.
        low, high: of the interval.
    """

    value: float
    se: float
    low: float
    high: float


class Powered(NamedTuple):
    """A mean by prediction-powered inference.

    Attributes:
        value: the mean.
        se: standard error.
        low, high: of the interval.
        weight: how far the judge counts: 1 for fully, 0 for not at all.
    """

    value: float
    se: float
    low: float
    high: float
    weight: float


def rogan_gladen(rate: float, sensitivity: float, specificity: float) -> float:
    """The rate that a judge with these errors would see as `rate`; cut off at 0 and 1.

    Raises:
        ValueError: the judge is no better than a coin, so its rate tells nothing.
    """
    informed = _informed(sensitivity, specificity)
    return min(max((rate + specificity - 1) / informed, 0.0), 1.0)


def corrected_rate(
    rate: Observed, sensitivity: Observed, specificity: Observed, *, alpha: float = 0.05
) -> Corrected:
    """A rate without the judge's errors, with the interval of Lang and Reiczigel.

    Args:
        rate: of rows that the judge calls positive.
        sensitivity: over rows that people call positive.
        specificity: over rows that people call negative.
        alpha: two-sided.

    Raises:
        ValueError: the judge is no better than a coin.
    """
    z = float(ndtri(1 - alpha / 2))
    plain = corrected_rate_by_delta(rate, sensitivity, specificity, alpha=alpha)
    p, q1, q0 = _moved(rate, z * z / 2), _moved(sensitivity, 1), _moved(specificity, 1)
    informed = _informed(q1.value, q0.value)
    middle = (p.value + q0.value - 1) / informed
    se = _delta_se(p, q1, q0)
    shift = 2 * z * z * (middle * _binomial(q1) - (1 - middle) * _binomial(q0))
    low, high = middle + shift - z * se, middle + shift + z * se
    return plain._replace(low=_cut(low), high=_cut(high))


def corrected_rate_by_delta(
    rate: Observed, sensitivity: Observed, specificity: Observed, *, alpha: float = 0.05
) -> Corrected:
    """The same with the interval of the delta method, which is too short near 0 and 1.

    Raises:
        ValueError: the judge is no better than a coin.
    """
    informed = _informed(sensitivity.value, specificity.value)
    value = (rate.value + specificity.value - 1) / informed
    se = _delta_se(rate, sensitivity, specificity)
    half = float(ndtri(1 - alpha / 2)) * se
    return Corrected(_cut(value), se, _cut(value - half), _cut(value + half))


def prediction_powered(
    pairs: Sequence[Pair],
    others: Sequence[float],
    *,
    tuned: bool = True,
    worth: float | None = None,
    alpha: float = 0.05,
) -> Powered:
    """The mean of what people would say of all rows.

    Args:
        pairs: rows with a label.
        others: by the judge, of rows without a label.
        tuned: count the judge as far as it helps; without it fully. For labels of the same kind of
            rows as `others`: with labels from elsewhere it would pull towards the mean there.
        worth: independent rows that the others are worth; None for all.
        alpha: two-sided.

    Raises:
        ValueError: fewer than two pairs or two other rows.
    """
    count, many = len(pairs), len(others)
    if min(count, many) < 2:
        raise ValueError(f"{count} labels and {many} other rows; give at least two of each.")
    said, seen, heavy = np.array(pairs, dtype=float).T
    heavy = heavy * count / heavy.sum()
    rest = np.array(others, dtype=float)
    said_of, seen_of = float((heavy * said).mean()), float((heavy * seen).mean())
    ours, theirs = heavy * (said - said_of), heavy * (seen - seen_of)
    spread = float(rest.var()) / (worth or many)
    weight = _tuned(ours, theirs, spread) if tuned else 1.0
    value = weight * float(rest.mean()) + said_of - weight * seen_of
    left = float(((ours - weight * theirs) ** 2).mean())
    se = sqrt(weight**2 * spread + left / count)
    half = float(ndtri(1 - alpha / 2)) * se
    return Powered(value, se, value - half, value + half, weight)


def _tuned(ours: Floats, theirs: Floats, spread: float) -> float:
    """The weight of the judge that gives the least variance.

    Args:
        ours: weighted labels around their mean.
        theirs: weighted verdicts on the same rows around theirs.
        spread: variance of the judge's mean over the other rows.
    """
    both = float((theirs**2).mean()) + len(ours) * spread
    return min(max(float((ours * theirs).mean()) / both, 0.0), 1.0) if both > 0 else 0.0


def _informed(sensitivity: float, specificity: float) -> float:
    """Youden's index: how much of the truth is left in a verdict."""
    informed = sensitivity + specificity - 1
    if informed <= 0:
        raise ValueError(
            f"Sensitivity {sensitivity:.3g} and specificity {specificity:.3g} are no better than a "
            "coin: nothing can be told from such a judge. Mend the rubric or take another judge."
        )
    return informed


def _delta_se(rate: Observed, sensitivity: Observed, specificity: Observed) -> float:
    informed = sensitivity.value + specificity.value - 1
    value = (rate.value + specificity.value - 1) / informed
    variance = (
        _binomial(rate)
        + (1 - value) ** 2 * _binomial(specificity)
        + value**2 * _binomial(sensitivity)
    )
    return sqrt(variance) / informed


def _binomial(share: Observed) -> float:
    return share.value * (1 - share.value) / share.of


def _moved(share: Observed, each: float) -> Observed:
    """With so many more positive ones, and as many more negative ones."""
    of = share.of + 2 * each
    return Observed((share.value * share.of + each) / of, of)


def _cut(value: float) -> float:
    return min(max(value, 0.0), 1.0)
