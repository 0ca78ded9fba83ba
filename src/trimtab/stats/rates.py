"""Intervals of one rate. Pure.

Wilson, "Probable inference" (Journal of the American Statistical Association 22, 1927) is the
default: near 0 and 1 the plain one is wrong. Clopper and Pearson, "The use of confidence or
fiducial limits" (Biometrika 26, 1934) never covers less than it says, for what must not happen.

With clusters, or repeats of a case, rows are not independent. Korn and Graubard, "Confidence
intervals for proportions with small expected number of positive counts" (Survey Methodology 24,
1998) replace the number of rows by that of independent ones which would give the same variance.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from trimtab.stats.means import clustered_error
from trimtab.stats.units import Floats, Labels, case_scores, keep, measured_repeats, unit_sums

__all__ = [
    "Interval",
    "RateEstimate",
    "estimate_rate",
    "exact_interval",
    "most_of_none",
    "wilson_interval",
]


class Interval(NamedTuple):
    """Both ends."""

    low: float
    high: float


class RateEstimate(NamedTuple):
    """A rate with its interval.

    Attributes:
        value: mean of the cases' shares; None of no rows.
        low, high: 0 and 1 where nothing can be said.
        rows: measured.
        cases: with a measured row.
        clusters: independent units among them.
        effective: as many independent rows would say as much.
    """

    value: float | None
    low: float
    high: float
    rows: int
    cases: int
    clusters: int
    effective: float


def wilson_interval(
    hits: float, count: float, *, confidence: float = 0.95, quantile: float | None = None
) -> Interval:
    """Wilson's score interval of `hits` of `count`; (0, 1) of none.

    Args:
        hits: 0 to `count`; a fraction where `count` is an effective number.
        count: independent trials.
        confidence: two-sided.
        quantile: instead of the normal one at this confidence, such as that of Student's t.
    """
    if count <= 0:
        return Interval(0.0, 1.0)
    z = float(ndtri((1 + confidence) / 2)) if quantile is None else quantile
    share = hits / count
    scale = 1 + z * z / count
    middle = (share + z * z / (2 * count)) / scale
    reach = z / scale * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low = 0.0 if hits <= 0 else max(middle - reach, 0.0)
    return Interval(low, 1.0 if hits >= count else min(middle + reach, 1.0))


def exact_interval(hits: int, count: int, *, confidence: float = 0.95) -> Interval:
    """Clopper and Pearson's interval of `hits` of `count`; (0, 1) of none."""
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return Interval(low, high)


def most_of_none(count: int, *, alpha: float = 0.05) -> float:
    """How large a rate can be of which `count` trials showed nothing: 1 - alpha^(1/count).

    One-sided and exact; 0.03 of 100, 0.01 of 300, 1 of none.
    """
    return 1 - alpha ** (1 / count) if count else 1.0


def estimate_rate(
    rows: Floats, clusters: Labels | None = None, *, confidence: float = 0.95
) -> RateEstimate:
    """The mean share of the cases, with Wilson's interval on the effective number of rows.

    One row a case without clusters gives Wilson's interval itself.

    Args:
        rows: shape (cases, repeats) of 0 and 1, NaN where nothing was measured.
        clusters: of the cases; without them each is its own.
        confidence: two-sided.
    """
    scores = case_scores(rows)
    which = ~np.isnan(scores)
    scores, count = scores[which], int(measured_repeats(rows).sum())
    labels = keep(clusters, which)
    units = len(unit_sums(scores, labels).sums)
    if not len(scores):
        return RateEstimate(None, 0.0, 1.0, 0, 0, 0, 0.0)
    value = float(scores.mean())
    if count == units:
        low, high = wilson_interval(value * count, count, confidence=confidence)
        return RateEstimate(value, low, high, count, units, units, count)
    if units < 2:
        return RateEstimate(value, 0.0, 1.0, count, len(scores), units, 1.0)
    effective = _effective(value, clustered_error(scores, labels), (units, count))
    low, high = wilson_interval(
        value * effective,
        effective,
        quantile=float(stdtrit(units - 1, (1 + confidence) / 2)),
    )
    return RateEstimate(value, low, high, count, len(scores), units, effective)


def _effective(value: float, error: float, between: tuple[int, int]) -> float:
    """Of rows that are all alike nothing is known of how clusters differ: then each counts once."""
    units, rows = between
    binomial = value * (1 - value)
    if binomial <= 0:
        return float(units)
    if error <= 0:
        return float(rows)
    return min(binomial / error**2, float(rows))
