"""How many cases, or how many repeats, would settle what could not be told. Pure."""

from math import ceil, floor, log2
from typing import Final, NamedTuple

from scipy.special import ndtri

from trimtab.stats.mean_bounds import Moments, cases_to_see
from trimtab.stats.means import split_variance
from trimtab.stats.units import Floats, measured_repeats

__all__ = ["Needed", "RepeatNoise", "needed_to_settle", "repeat_noise"]

_POWER: Final = 0.8
_MOST_REPEATS: Final = 100  # more is not an advice


class RepeatNoise(NamedTuple):
    """What repeats can remove.

    Attributes:
        variance: the part of the variance of a case's difference that comes from its repeats.
        repeats: of each case, as measured.
    """

    variance: float
    repeats: int


class Needed(NamedTuple):
    """What would give a verdict with probability 0.8, if the difference is the one seen.

    Attributes:
        cases: like these, in all, with as many repeats as now.
        repeats: of each of these cases, in all; None where no number of them does, or it is not
            known because each case has one.
    """

    cases: int
    repeats: int | None


def repeat_noise(candidate: Floats, baseline: Floats) -> RepeatNoise | None:
    """Of rows (cases, repeats) of both setups; None where one of them has no repeats."""
    noise = 0.0
    for rows in (candidate, baseline):
        split, counts = split_variance(rows), measured_repeats(rows)
        if split is None:
            return None
        noise += split.within * float((1 / counts[counts > 0]).mean())
    return RepeatNoise(noise, int(measured_repeats(candidate).max()))


def needed_to_settle(
    of: Moments, cases: int, noise: RepeatNoise | None, *, margin: float, alpha: float
) -> Needed:
    """What an inconclusive comparison lacks: to a pass or to a fail, whichever is nearer.

    Args:
        of: the mean difference in the direction in which more is better.
        cases: that it is the mean of; at least 1.
        noise: of the repeats.
        margin: above 0 and below 1.
        alpha: one-sided.
    """
    passing = of.mean + margin >= -of.mean
    reach = of.mean + margin if passing else -of.mean
    # The least mid-p value of n losses and no gain is 0.5^n / 2.
    seen = _fewest(max(of.mean, 0.0), margin, alpha) if passing else floor(-log2(2 * alpha)) + 1
    most = (reach / float(ndtri(1 - alpha) + ndtri(_POWER))) ** 2  # variance of the mean
    variance = of.error**2 * cases
    units = max(of.units, 1)
    wanted = max(ceil(variance / most), ceil(seen * cases / units), cases + 1)
    if noise is None or seen > units:
        return Needed(wanted, None)
    return Needed(wanted, _repeats(noise, variance, most * cases))


def _fewest(gained: float, margin: float, alpha: float) -> int:
    """Below which what was not seen could be as bad as the margin, whatever was seen."""
    return cases_to_see((gained + margin) / (1 + gained), alpha=alpha)


def _repeats(noise: RepeatNoise, variance: float, most: float) -> int | None:
    removable = min(noise.variance, variance)
    left = most - (variance - removable)
    if left <= 0 or noise.repeats * removable / left > _MOST_REPEATS:
        return None
    return max(ceil(noise.repeats * removable / left), noise.repeats + 1)
