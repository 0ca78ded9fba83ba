"""What a gate will say, before anything is spent: by the tests with which it is decided. Pure.

Rates with one answer a case: the sum over all numbers of gains and losses that could come.
Others: a normal mean, and its standard error as it comes out, over which is averaged. The
verdicts are those of `margins`; `tests/stats/test_gate_power.py` holds them against simulated
gates.
"""

from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, gammaln, ndtr, stdtrit, xlogy

from trimtab.stats.margins import ALPHA
from trimtab.stats.paired import mcnemar_drops
from trimtab.stats.power import POWER, Spread
from trimtab.stats.rates import most_of_none
from trimtab.stats.tango import tango_p_values
from trimtab.stats.units import Floats

__all__ = ["Design", "GatePower", "detects", "gate_power"]

_MOST_COUNTED: Final = 2_000  # cases up to which outcomes are summed
_TAIL: Final = 7.0  # standard deviations of a count
_STEPS: Final = 200  # of the distribution of the standard error
_LEAST: Final = 1e-12  # instead of a variance of 0


class Design(NamedTuple):
    """A comparison of two setups that is planned.

    Attributes:
        cases: independent ones.
        repeats: of each, by both setups.
        spread: of the metric; of amounts that of their logarithms.
        margin: above 0 and below 1; of amounts the logarithm of the ratio.
        counted: a rate, or a preference.
        alpha: one-sided.
    """

    cases: int
    repeats: int
    spread: Spread
    margin: float
    counted: bool
    alpha: float = ALPHA


class GatePower(NamedTuple):
    """Probability of each verdict."""

    passes: float
    fails: float

    @property
    def inconclusive(self) -> float:
        """Of neither."""
        return 1 - self.passes - self.fails


def gate_power(design: Design, *, change: float = 0.0) -> GatePower:
    """Probability of each verdict.

    Args:
        design: what is planned.
        change: true difference in the direction in which more is better: -0.05 is a drop by 5 %.
    """
    if design.cases < 2:
        return GatePower(0.0, 0.0)
    if design.counted and design.repeats == 1 and design.cases <= _MOST_COUNTED:
        return _of_counts(design, change)
    return _of_means(design, change)


def detects(design: Design, *, power: float = POWER) -> float | None:
    """The smallest drop that fails with this probability, above 0; None where even 1 does not."""

    def short(drop: float) -> float:
        return gate_power(design, change=-drop).fails - power

    if short(1.0) < 0:
        return None
    return brentq(short, 0.0, 1.0, xtol=1e-4)


def _of_means(design: Design, change: float) -> GatePower:
    freedom = design.cases - 1
    error = sqrt(max(design.spread.variance(design.repeats), _LEAST) / design.cases)
    shares = (np.arange(_STEPS) + 0.5) / _STEPS
    seen = (
        float(stdtrit(freedom, 1 - design.alpha))
        * error
        * np.sqrt(chdtri(freedom, shares) / freedom)
    )
    passing = seen - design.margin  # means above it pass
    unseen = most_of_none(design.cases, alpha=design.alpha)
    if unseen >= design.margin:
        passing = np.maximum(passing, (unseen - design.margin) / (1 - unseen))
    dropping = np.minimum(-seen, passing)  # means below it fail
    passes = float(ndtr((change - passing) / error).mean())
    return GatePower(passes, float(ndtr((dropping - change) / error).mean()))


def _of_counts(design: Design, change: float) -> GatePower:
    differing = min(max(design.spread.variance(1) + change**2, abs(change)), 1.0)
    gained, lost = (differing + change) / 2, (differing - change) / 2
    gains = _likely(design.cases, gained)[:, None]
    losses = _likely(design.cases, lost)[None, :]
    rest = design.cases - gains - losses
    possible = rest >= 0
    rest = np.maximum(rest, 0)
    logs = gammaln(design.cases + 1) - gammaln(gains + 1) - gammaln(losses + 1) - gammaln(rest + 1)
    logs = logs + xlogy(gains, gained) + xlogy(losses, lost) + xlogy(rest, 1 - differing)
    chances = np.where(possible, np.exp(logs), 0.0)
    alpha = design.alpha
    passing = tango_p_values(gains, losses, design.cases, margin=design.margin) < alpha
    dropping = (mcnemar_drops(gains, losses) < alpha) & ~passing
    return GatePower(float(chances[passing].sum()), float(chances[dropping].sum()))


def _likely(cases: int, share: float) -> Floats:
    """The counts that come."""
    middle, reach = cases * share, _TAIL * (sqrt(cases * share * (1 - share)) + 1)
    least, most = max(int(middle - reach), 0), min(int(middle + reach) + 1, cases)
    return np.arange(least, most + 1, dtype=np.float64)
