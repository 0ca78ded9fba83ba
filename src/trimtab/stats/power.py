"""How many cases and repeats a comparison needs, from formulas. Pure.

The variance of a case's difference of scores is `omega^2 + sigma_A^2/K_A + sigma_B^2/K_B`: that of
the cases' own differences, and that of the repeats of both setups. Miller, "Adding error bars to
evals" (arXiv 2411.00640, 2024), section 5; his figures stand in where a suite has never been run.
Right or wrong, once a case: Connor, "Sample size for testing differences in proportions for the
paired-sample design" (Biometrics 43, 1987), from the share of cases on which both setups differ.

What the gate itself will say is in `gate_power`.
"""

from math import ceil, sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtri

from trimtab.stats.means import split_variance
from trimtab.stats.units import Floats, case_scores, measured_repeats

__all__ = [
    "MILLER",
    "Spread",
    "cases_to_find",
    "connor_cases",
    "noninferiority_cases",
    "smallest_difference",
    "spread_of_one",
    "spread_of_two",
]

POWER: Final = 0.8


class Spread(NamedTuple):
    """Where the variance of a difference of scores comes from.

    Attributes:
        between: omega^2, of the cases' own differences; 0 where the setups are the same.
        candidate, baseline: sigma^2 of one repeat of each setup.
    """

    between: float
    candidate: float
    baseline: float

    def variance(self, repeats: int) -> float:
        """Of a case's difference, with so many repeats of both setups."""
        return self.between + (self.candidate + self.baseline) / repeats


MILLER: Final = Spread(1 / 9, 1 / 6, 1 / 6)
"""Of scores that are uniform over cases, correlated by one half; of a hard suite."""


def cases_to_find(
    difference: float,
    spread: Spread = MILLER,
    *,
    repeats: int = 1,
    alpha: float = 0.05,
    power: float = POWER,
) -> int:
    """Cases with which a difference is found, two-sided at alpha.

    Args:
        difference: of the mean scores; not 0.
        spread: of the suite.
        repeats: of each case, by both setups.
        alpha: two-sided.
        power: probability of finding it.
    """
    reach = _reach(alpha / 2, power)
    return ceil(reach**2 * spread.variance(repeats) / difference**2)


def smallest_difference(
    cases: int,
    spread: Spread = MILLER,
    *,
    repeats: int = 1,
    alpha: float = 0.05,
    power: float = POWER,
) -> float:
    """The difference that so many cases find, two-sided at alpha: `cases_to_find` the other way."""
    return _reach(alpha / 2, power) * sqrt(spread.variance(repeats) / cases)


def connor_cases(
    differing: float, difference: float, *, alpha: float = 0.05, power: float = POWER
) -> int:
    """Cases, answered once, with which a difference of rates is found, one-sided at alpha.

    Args:
        differing: share of cases on which one setup is right and the other wrong.
        difference: of the rates; not 0, and not above `differing`.
        alpha: one-sided.
        power: probability of finding it.
    """
    root = float(ndtri(1 - alpha)) * sqrt(differing)
    root += float(ndtri(power)) * sqrt(differing - difference**2)
    return ceil((root / difference) ** 2)


def noninferiority_cases(
    differing: float, margin: float, *, alpha: float = 0.05, power: float = POWER
) -> int:
    """Cases, answered once, with which a candidate as good as the baseline passes at a margin.

    Args:
        differing: share of cases on which one setup is right and the other wrong.
        margin: of the rate.
        alpha: one-sided.
        power: probability of a pass.
    """
    return ceil(_reach(alpha, power) ** 2 * differing / margin**2)


def spread_of_two(candidate: Floats, baseline: Floats) -> Spread:
    """The spread seen in rows (cases, repeats) of two setups on the same cases.

    With one repeat what repeats could remove is not known; all of it then counts as `between`, so
    that no number of repeats helps.

    Raises:
        ValueError: fewer than two cases are measured in both.
    """
    differences = case_scores(candidate) - case_scores(baseline)
    which = ~np.isnan(differences)
    if np.count_nonzero(which) < 2:
        raise ValueError("Fewer than two cases are measured in both setups.")
    total = float(np.var(differences[which], ddof=1))
    sides = [_within(rows[which]) for rows in (candidate, baseline)]
    (new, new_now), (old, old_now) = sides
    return Spread(max(total - new_now - old_now, 0.0), new, old)


def spread_of_one(rows: Floats) -> Spread:
    """What is to be expected between a setup with these rows and another that is the same.

    With one repeat all variance counts as that of repeats: there is not more of it.

    Raises:
        ValueError: fewer than two cases are measured.
    """
    scores = case_scores(rows)
    scores = scores[~np.isnan(scores)]
    if len(scores) < 2:
        raise ValueError("Fewer than two cases are measured.")
    split = split_variance(rows)
    within = float(np.var(scores, ddof=1)) if split is None else split.within
    return Spread(0.0, within, within)


def _within(rows: Floats) -> tuple[float, float]:
    """The variance of one repeat, and what is left of it in the mean of a case's repeats."""
    split = split_variance(rows)
    if split is None:
        return 0.0, 0.0
    return split.within, split.within * float(np.mean(1 / measured_repeats(rows)))


def _reach(alpha: float, power: float) -> float:
    return float(ndtri(1 - alpha) + ndtri(power))
