"""The mean over cases, its standard error, and how much of its noise repeats can remove. Pure.

The standard error with clusters is that of Miller, "Adding error bars to evals" (arXiv
2411.00640, 2024), with the variance times G/(G - 1) for G clusters; the interval takes the
quantile of Student's t with G - 1 degrees of freedom. Without clusters each case is its own, and
both are the plain ones.
"""

from math import floor, sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.special import stdtrit

from trimtab.stats.units import Floats, Labels, case_scores, measured_repeats, unit_sums

__all__ = ["MeanEstimate", "VarianceSplit", "clustered_error", "estimate_mean", "split_variance"]

_LITTLE_NOISE: Final = (
    0.2  # share of a score's variance, below which repeats are no longer worth it
)


class MeanEstimate(NamedTuple):
    """A mean with its interval.

    Attributes:
        value: None of no values.
        error: standard error; None of fewer than two clusters, as are both ends.
        low, high: of the t interval; may be beyond the range of the values.
        cases: values.
        clusters: independent units among them.
    """

    value: float | None
    error: float | None
    low: float | None
    high: float | None
    cases: int
    clusters: int


class VarianceSplit(NamedTuple):
    """Where the variance of a case's score comes from.

    Attributes:
        within: variance of one repeat, around the case's own mean.
        between: variance of the cases' own means; 0 or more.
        repeat_share: of the variance of a score as measured, the share that more repeats can
            remove; None where scores do not vary at all.
        repeats: how many repeats of each case bring this share below 20 %; None where no number
            does.
    """

    within: float
    between: float
    repeat_share: float | None
    repeats: int | None


def clustered_error(
    scores: Floats, clusters: Labels | None = None, *, corrected: bool = True
) -> float:
    """Standard error of the mean of scores, shape (cases,).

    Args:
        scores: one for each case; none is NaN.
        clusters: of the cases; without them each is its own.
        corrected: times sqrt(G/(G - 1)), for what estimating the mean took away.

    Raises:
        ValueError: there are fewer than two clusters.
    """
    residuals = unit_sums(scores - scores.mean(), clusters).sums if len(scores) else scores
    units = len(residuals)
    if units < 2:
        raise ValueError(f"{units} cluster has no standard error; at least two are needed.")
    wider = units / (units - 1) if corrected else 1.0
    return sqrt(float(np.square(residuals).sum()) * wider) / len(scores)


def estimate_mean(
    scores: Floats, clusters: Labels | None = None, *, confidence: float = 0.95
) -> MeanEstimate:
    """The mean of scores, shape (cases,) without NaN, with a t interval."""
    cases = len(scores)
    units = len(unit_sums(scores, clusters).sums)
    value = float(scores.mean()) if cases else None
    if value is None or units < 2:
        return MeanEstimate(value, None, None, None, cases, units)
    error = clustered_error(scores, clusters)
    reach = float(stdtrit(units - 1, (1 + confidence) / 2)) * error
    return MeanEstimate(value, error, value - reach, value + reach, cases, units)


def split_variance(rows: Floats) -> VarianceSplit | None:
    """Split the variance of scores into that of repeats and that of cases.

    Args:
        rows: shape (cases, repeats), NaN where nothing was measured.

    Returns:
        None where fewer than two cases have a score, or no case has two repeats.
    """
    counts = measured_repeats(rows)
    scores = case_scores(rows)
    repeated = counts > 1
    if np.count_nonzero(counts) < 2 or not repeated.any():
        return None
    residuals = np.where(np.isnan(rows), 0.0, rows - scores[:, None])[repeated]
    within = float((np.square(residuals).sum(axis=1) / (counts[repeated] - 1)).mean())
    measured = counts > 0
    removable = within * float(np.mean(1 / counts[measured]))
    total = float(np.var(scores[measured], ddof=1))
    between = max(total - removable, 0.0)
    share = removable / (between + removable) if between + removable else None
    return VarianceSplit(within, between, share, _repeats_needed(within, between))


def _repeats_needed(within: float, between: float) -> int | None:
    if not within:
        return 1
    if not between:
        return None
    most = within / between * (1 - _LITTLE_NOISE) / _LITTLE_NOISE
    return floor(most) + 1
