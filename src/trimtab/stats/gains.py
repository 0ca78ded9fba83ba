"""What gains of a candidate prove, case by case: how low their mean may be. Pure.

Gains are differences in the direction in which more is better. Cases that are gained, lost or
neither, each on its own, are counted: Tango's score bound, and McNemar's test. All others, and
cases that form clusters, are averaged: the bound of `mean_bounds`; whether there is a drop say sign
flips with fewer than 30 units or at most 20 that are not 0, else Student's t.

Both tests of a drop take the mid-p value. They are exact where the setups are the same, but a few
cases that differ can only give a few p values, and the exact one is far above what it should be: of
20 cases with 3 repeats, setups that are the same would fail in 1 % of gates instead of 5 %. Figures
are in docs/design/gate-statistics.md.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import stdtr

from trimtab.stats.mean_bounds import Moments, lower_bound, moments_of, p_of_margin
from trimtab.stats.paired import mcnemar
from trimtab.stats.resampling import MOST_ENUMERATED, sign_flip
from trimtab.stats.tango import tango_interval, tango_p
from trimtab.stats.units import Floats, Labels, unit_sums

__all__ = ["Gains", "Tested", "gains_of", "weigh_counts", "weigh_means"]

_ROUNDED: Final = 1e-9  # of the sum of all absolute gains
_FEW_UNITS: Final = 30


class Gains(NamedTuple):
    """The gain of each case.

    Attributes:
        values: shape (cases,), none is NaN.
        sums: of independent units.
        moments: of their mean; all 0 of no cases.
    """

    values: Floats
    sums: Floats
    moments: Moments

    @property
    def independent(self) -> bool:
        """No two cases share a cluster."""
        return len(self.sums) == len(self.values)


class Tested(NamedTuple):
    """What can be said of a mean gain.

    Attributes:
        low, high: one-sided bounds, each at alpha; infinite where there is none.
        p_drop: one-sided, of a mean of 0 or more.
        p_margin: one-sided, of a mean of `-margin` or less; below alpha where `low` is above.
        method: in a few words.
    """

    low: float
    high: float
    p_drop: float
    p_margin: float
    method: str


def gains_of(values: Floats, clusters: Labels | None = None) -> Gains:
    """Take gains of cases with their clusters."""
    if not len(values):
        return Gains(values, values, Moments(0.0, 0.0, 0.0, 0))
    sums = unit_sums(values, clusters).sums
    # Gains that cancel each other leave a rounding error, whose sign means nothing.
    sums = np.where(np.abs(sums) > _ROUNDED * np.abs(values).sum(), sums, 0.0)
    return Gains(values, sums, moments_of(values, clusters))


def weigh_counts(gains: Gains, *, margin: float, alpha: float) -> Tested:
    """Of values 1, 0 and -1 of independent cases."""
    won = int(np.count_nonzero(gains.values > 0))
    lost, cases = int(np.count_nonzero(gains.values < 0)), len(gains.values)
    method = "Tango score interval, McNemar mid-p"
    if not cases:
        return Tested(-1.0, 1.0, 1.0, 1.0, method)
    low, high = tango_interval(won, lost, cases, confidence=1 - 2 * alpha)
    p_margin = tango_p(won, lost, cases, margin=margin)
    return Tested(low, high, mcnemar(won, lost).drop, p_margin, method)


def weigh_means(gains: Gains, *, margin: float, alpha: float) -> Tested:
    """Of any values, clustered or not."""
    moments = gains.moments
    mirrored = moments._replace(mean=-moments.mean, skewness=-moments.skewness)
    flips = moments.units < _FEW_UNITS or _differ(gains.sums) <= MOST_ENUMERATED
    of = "cases" if gains.independent else "clusters"
    return Tested(
        lower_bound(moments, alpha=alpha),
        -lower_bound(mirrored, alpha=alpha),
        sign_flip(gains.sums).drop if flips else _t_drop(moments),
        p_of_margin(moments, margin=margin),
        f"t on means of {of}, sign flips" if flips else f"t on means of {of}",
    )


def _differ(sums: Floats) -> int:
    return int(np.count_nonzero(np.abs(sums) > _ROUNDED * np.abs(sums).sum()))


def _t_drop(moments: Moments) -> float:
    if moments.error <= 0:  # all differ by the same, which is not 0
        return 0.0 if moments.mean < 0 else 1.0
    return float(stdtr(moments.units - 1, moments.mean / moments.error))
