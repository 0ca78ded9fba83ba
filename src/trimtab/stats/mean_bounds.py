"""How low a mean of differences may be: a bound that few cases and rare losses do not fool. Pure.

A difference of two scores lies in -1..1, and in a stable suite nearly all are 0. There Student's
t is wrong where it hurts: of 59 cases, 5 % of which a candidate breaks altogether, one or none is
seen in a fifth of all samples, and the t bound then calls a drop of 5 % impossible. Two things
are therefore added to it.

*Skewness.* The bound is that of the score test in which the variance under "the mean is
`-margin`" is the one seen, plus what as many Poisson events would add that have the skewness
seen: with mean `D`, standard error `e` and skewness `a` of the mean, `x = (D + margin)/e` counts
as `t = x / sqrt(1 - a x)`. For N equal losses and nothing else, `a` is `-1/sqrt(N)`, and this is
the score test of a Poisson rate. It is used where `a` is below -0.2, that is where the losses
weigh no more than 25 single ones; above, what skewness is seen is chance, and t is good.

*What was not seen.* If a share q of cases got as bad as can be, no such case would be among n
with probability (1 - q)^n. At alpha, shares up to 1 - alpha^(1/n) have to be allowed for: 5 % of
59 cases, 3 % of 100, 2 % of 149, whatever the repeats. "As bad as can be" is 1: everything of a
rate or a score, and a factor of e of an amount, which is compared by logarithms.

Clusters: what is independent are their sums.
"""

from math import floor, inf, log, sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from trimtab.stats.rates import most_of_none
from trimtab.stats.units import Floats, Labels, unit_sums

__all__ = ["Moments", "cases_to_see", "lower_bound", "moments_of", "p_of_margin"]

_FEW_LOSSES: Final = -0.2  # skewness of the mean, of 25 equal losses
_SAME: Final = 1e-12  # residuals that are rounding, of differences near 1


class Moments(NamedTuple):
    """Of the mean of differences in the direction in which more is better.

    Attributes:
        mean: itself.
        error: its standard error; 0 where all are the same.
        skewness: its skewness, third central moment over variance^1.5; -1 of a single loss.
        units: independent ones.
    """

    mean: float
    error: float
    skewness: float
    units: int


def moments_of(differences: Floats, clusters: Labels | None = None) -> Moments:
    """The moments of the mean of differences, shape (cases,) without NaN; at least one case."""
    mean = float(differences.mean())
    residuals = unit_sums(differences - mean, clusters).sums
    units = len(residuals)
    if units < 2 or float(np.abs(residuals).max()) <= _SAME:
        return Moments(mean, 0.0, 0.0, units)
    squares = float(np.square(residuals).sum())
    error = sqrt(squares * units / (units - 1)) / len(differences)
    return Moments(mean, error, float((residuals**3).sum()) / squares**1.5, units)


def lower_bound(of: Moments, *, alpha: float) -> float:
    """The one-sided bound at `alpha`, below 0.5; minus infinity of fewer than two units."""
    if of.units < 2:
        return -inf
    t = float(stdtrit(of.units - 1, 1 - alpha))
    bent = t * _bend(of)
    seen = of.mean - t * (sqrt(1 + bent * bent) + bent) * of.error
    unseen = most_of_none(of.units, alpha=alpha)
    return min(seen, (1 - unseen) * max(of.mean, 0.0) - unseen)


def p_of_margin(of: Moments, *, margin: float) -> float:
    """One-sided p value of "the mean is -margin or less"; below alpha where the bound is above."""
    if of.units < 2:
        return 1.0
    gained = max(of.mean, 0.0)
    unseen = max(1 - (margin + gained) / (1 + gained), 0.0) ** of.units
    above = of.mean + margin
    if of.error <= 0:
        return unseen if above > 0 else 1.0
    x = above / of.error
    t = x / sqrt(1 + 2 * _bend(of) * max(x, 0.0))
    return max(float(stdtr(of.units - 1, -t)), unseen)


def cases_to_see(margin: float, *, alpha: float) -> int:
    """Independent cases that a pass needs at least, with no gain to balance what is not seen.

    Args:
        margin: 0 to 1, neither included.
        alpha: one-sided; at 0.05 a margin of 5 % needs 59 cases, one of 2 % needs 149.
    """
    return floor(log(alpha) / log(1 - margin)) + 1


def _bend(of: Moments) -> float:
    return -of.skewness / 2 if of.skewness < _FEW_LOSSES else 0.0
