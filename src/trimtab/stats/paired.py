"""Two setups on the same cases: who was right where. Pure.

Of cases with one answer from each setup that is right or wrong only those tell anything on which
the setups differ. Tests: McNemar, "Note on the sampling error of the difference between
correlated proportions" (Psychometrika 12, 1947); the mid-p form, which is neither as timid as the
exact one nor too bold, after Fagerland, Lydersen and Laake, "The McNemar test for binary
matched-pairs data" (BMC Medical Research Methodology 13, 2013). The interval of the difference:
Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
paired data", method 10 (Statistics in Medicine 17, 1998).

Other scores: the difference of each case, with the standard error of its mean. Pairing does not
have to help: where the setups are right on different cases the correlation is below 0, and the
paired error larger than that of two samples. It is the right one all the same.
"""

from math import log, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, chdtrc, gammaln

from trimtab.stats.means import MeanEstimate, estimate_mean
from trimtab.stats.rates import Interval, wilson_interval
from trimtab.stats.units import Floats, Labels

__all__ = [
    "ChiSquare",
    "PairCounts",
    "PairedDifference",
    "Tails",
    "correlation_of",
    "count_pairs",
    "mcnemar",
    "mcnemar_chi_square",
    "mcnemar_drops",
    "newcombe_interval",
    "paired_difference",
]


class Tails(NamedTuple):
    """Where a statistic lies in its distribution under "there is no difference"; adds up to 1.

    Attributes:
        below: probability of one further down.
        at: of the same.
        above: of one further up.
    """

    below: float
    at: float
    above: float

    @property
    def drop(self) -> float:
        """One-sided mid-p value of "the candidate is no worse"."""
        return self.below + self.at / 2

    @property
    def mid(self) -> float:
        """Two-sided mid-p value."""
        return min(2 * (min(self.below, self.above) + self.at / 2), 1.0)

    @property
    def exact(self) -> float:
        """Two-sided p value."""
        return min(2 * (min(self.below, self.above) + self.at), 1.0)


class ChiSquare(NamedTuple):
    """With one degree of freedom, and its p value."""

    statistic: float
    p: float


class PairCounts(NamedTuple):
    """Cases by who was right.

    Attributes:
        both: candidate and baseline.
        gains: the candidate only.
        losses: the baseline only.
        neither: nobody.
    """

    both: int
    gains: int
    losses: int
    neither: int

    @property
    def cases(self) -> int:
        """All of them."""
        return sum(self)

    @property
    def difference(self) -> float:
        """Of the rates, candidate - baseline; there is a case."""
        return (self.gains - self.losses) / self.cases


class PairedDifference(NamedTuple):
    """Candidate - baseline.

    Attributes:
        estimate: of the mean difference.
        correlation: of the two setups' scores; None where one of them does not vary.
    """

    estimate: MeanEstimate
    correlation: float | None


def count_pairs(candidate: Floats, baseline: Floats) -> PairCounts:
    """Count cases, shape (cases,) of 0 and 1 each."""
    new, old = candidate > 0.5, baseline > 0.5
    return PairCounts(
        int(np.count_nonzero(new & old)),
        int(np.count_nonzero(new & ~old)),
        int(np.count_nonzero(~new & old)),
        int(np.count_nonzero(~new & ~old)),
    )


def mcnemar(gains: int, losses: int) -> Tails:
    """The number of gains among all cases that differ, if each was as likely to be a loss."""
    differ = gains + losses
    if not differ:
        return Tails(0.0, 1.0, 0.0)
    below = float(bdtr(gains - 1, differ, 0.5)) if gains else 0.0
    above = float(bdtr(losses - 1, differ, 0.5)) if losses else 0.0
    return Tails(below, 1 - below - above, above)


def mcnemar_drops(gains: Floats, losses: Floats) -> Floats:
    """`mcnemar(...).drop` of whole arrays of counts."""
    differ = gains + losses
    logs = gammaln(differ + 1) - gammaln(gains + 1) - gammaln(losses + 1) - differ * log(2)
    return bdtr(gains, differ.astype(np.intp), 0.5) - np.exp(logs) / 2


def mcnemar_chi_square(gains: int, losses: int, *, corrected: bool) -> ChiSquare:
    """McNemar's statistic, two-sided; with Yates' correction or without."""
    differ = gains + losses
    if not differ:
        return ChiSquare(0.0, 1.0)
    apart = max(abs(gains - losses) - int(corrected), 0)
    statistic = apart * apart / differ
    return ChiSquare(statistic, float(chdtrc(1, statistic)))


def newcombe_interval(pairs: PairCounts, *, confidence: float = 0.95) -> Interval:
    """Newcombe's interval of the difference of rates, from both Wilson intervals: his method 10."""
    count = pairs.cases
    new, old = pairs.both + pairs.gains, pairs.both + pairs.losses
    new_low, new_high = wilson_interval(new, count, confidence=confidence)
    old_low, old_high = wilson_interval(old, count, confidence=confidence)
    phi = _phi(pairs)
    down = (new / count - new_low, old_high - old / count)
    up = (new_high - new / count, old / count - old_low)
    low, high = (
        sqrt(max(one * one - 2 * phi * one * two + two * two, 0.0)) for one, two in (down, up)
    )
    return Interval(pairs.difference - low, pairs.difference + high)


def paired_difference(
    candidate: Floats,
    baseline: Floats,
    clusters: Labels | None = None,
    *,
    confidence: float = 0.95,
) -> PairedDifference:
    """The mean difference of scores, shape (cases,) each, without NaN, with a t interval."""
    estimate = estimate_mean(candidate - baseline, clusters, confidence=confidence)
    return PairedDifference(estimate, correlation_of(candidate, baseline))


def correlation_of(candidate: Floats, baseline: Floats) -> float | None:
    """Pearson's correlation of scores; None where one of them does not vary."""
    if len(candidate) < 2:
        return None
    new, old = candidate - candidate.mean(), baseline - baseline.mean()
    scale = sqrt(float(new @ new) * float(old @ old))
    return float(new @ old) / scale if scale > 0 else None


def _phi(pairs: PairCounts) -> float:
    """Correlation of both outcomes; continuity corrected where it is above 0."""
    both, gains, losses, neither = pairs
    margins = (both + gains) * (losses + neither) * (both + losses) * (gains + neither)
    if not margins:
        return 0.0
    above = both * neither - gains * losses
    if above > 0:
        above = max(above - pairs.cases / 2, 0.0)
    return above / sqrt(margins)
