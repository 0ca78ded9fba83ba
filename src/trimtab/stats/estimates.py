"""One metric of one setup, with the interval that fits its kind. Pure.

| values | interval |
|---|---|
| rate | Wilson; with repeats or clusters on the effective number of rows, with Student's t |
| score | BCa bootstrap over 15 to 200 clusters, else t; then widened by what was not seen |
| amount | t on the mean logarithm of the cases, of the geometric mean; widened likewise |
| preference | Tango, of wins - losses as a share of all cases; with clusters t |

What was not seen: if a share q of all cases had the lowest score, or the highest, there would be
none among n with probability (1 - q)^n. Twenty scores of 1 do not prove a mean of 1. Of an amount
what was not seen is supposed to be a factor of e away from the mean, as in `mean_bounds`.
"""

from typing import Final, Literal, NamedTuple

import numpy as np

from trimtab.stats.means import estimate_mean
from trimtab.stats.rates import Interval, estimate_rate, most_of_none
from trimtab.stats.resampling import bca_interval
from trimtab.stats.tango import tango_interval
from trimtab.stats.units import Floats, Labels, case_scores, keep, measured_repeats, unit_sums

__all__ = ["Estimated", "Kind", "estimate"]

Kind = Literal["rate", "score", "amount", "preference"]

_DRAWN: Final = range(15, 201)  # clusters: fewer say too little of a distribution
_T: Final = "t on means of cases"


class Estimated(NamedTuple):
    """A figure with its interval.

    Attributes:
        value: mean over cases; of amounts the geometric one; None where nothing was measured.
        low, high: None where nothing was measured, or nothing bounds an amount.
        rows: measured.
        cases: with a measured row.
        clusters: independent units among them.
        method: of the interval.
    """

    value: float | None
    low: float | None
    high: float | None
    rows: int
    cases: int
    clusters: int
    method: str


class _Ends(NamedTuple):
    low: float | None
    high: float | None
    method: str


def estimate(
    rows: Floats, kind: Kind, clusters: Labels | None = None, *, confidence: float = 0.95
) -> Estimated:
    """Estimate a metric; each end alone is a one-sided bound at (1 - confidence)/2.

    Args:
        rows: shape (cases, repeats), NaN where nothing was measured: 0 or 1 of a rate, 0 to 1 of
            a score, above 0 of an amount, the sign of a preference.
        kind: of the values.
        clusters: of the cases.
        confidence: two-sided.
    """
    if kind == "rate":
        return _of_rate(rows, clusters, confidence)
    scores = _scores(rows, kind)
    which = ~np.isnan(scores)
    scores, labels = scores[which], keep(clusters, which)
    value = float(scores.mean()) if len(scores) else None
    ends = _Ends(None, None, _T)
    if value is not None:
        ends = _ENDS[kind](scores, labels, confidence)
    if kind == "amount":
        value, low, high = (
            None if end is None else float(np.exp(end)) for end in (value, ends.low, ends.high)
        )
        ends = _Ends(low, high, ends.method)
    units = len(unit_sums(scores, labels).sums)
    count = int(measured_repeats(rows).sum())
    return Estimated(value, ends.low, ends.high, count, len(scores), units, ends.method)


def _scores(rows: Floats, kind: Kind) -> Floats:
    """On the scale on which they are averaged."""
    if kind == "preference":
        return np.sign(case_scores(np.sign(rows)))
    return case_scores(np.log(rows) if kind == "amount" else rows)


def _of_rate(rows: Floats, clusters: Labels | None, confidence: float) -> Estimated:
    rate = estimate_rate(rows, clusters, confidence=confidence)
    method = "Wilson" if rate.rows == rate.clusters else "Wilson on effective rows"
    if rate.value is None:
        return Estimated(None, None, None, 0, 0, 0, method)
    return Estimated(rate.value, rate.low, rate.high, rate.rows, rate.cases, rate.clusters, method)


def _of_scores(scores: Floats, clusters: Labels | None, confidence: float) -> _Ends:
    mean = float(scores.mean())
    sums, sizes = unit_sums(scores, clusters)
    drawn = len(sums) in _DRAWN and float(np.ptp(sums / sizes)) > 1e-9
    if drawn:
        seen = bca_interval(scores, clusters, confidence=confidence)
    else:
        plain = estimate_mean(scores, clusters, confidence=confidence)
        seen = Interval(plain.low or 0.0, 1.0 if plain.high is None else plain.high)
    unseen = most_of_none(len(sums), alpha=(1 - confidence) / 2)
    low, high = min(seen.low, (1 - unseen) * mean), max(seen.high, (1 - unseen) * mean + unseen)
    return _Ends(max(low, 0.0), min(high, 1.0), "BCa bootstrap" if drawn else _T)


def _of_amounts(scores: Floats, clusters: Labels | None, confidence: float) -> _Ends:
    mean = estimate_mean(scores, clusters, confidence=confidence)
    method = "t on mean logarithms of cases"
    if mean.value is None or mean.low is None or mean.high is None:
        return _Ends(None, None, method)
    unseen = most_of_none(mean.clusters, alpha=(1 - confidence) / 2)
    return _Ends(min(mean.low, mean.value - unseen), max(mean.high, mean.value + unseen), method)


def _of_preferences(scores: Floats, clusters: Labels | None, confidence: float) -> _Ends:
    if len(unit_sums(scores, clusters).sums) == len(scores):
        won, lost = int(np.count_nonzero(scores > 0)), int(np.count_nonzero(scores < 0))
        low, high = tango_interval(won, lost, len(scores), confidence=confidence)
        return _Ends(low, high, "Tango")
    mean = estimate_mean(scores, clusters, confidence=confidence)
    low, high = mean.low, mean.high
    return _Ends(
        max(-1.0 if low is None else low, -1.0), min(1.0 if high is None else high, 1.0), _T
    )


_ENDS: Final = {"score": _of_scores, "amount": _of_amounts, "preference": _of_preferences}
