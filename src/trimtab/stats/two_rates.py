"""Two rates on rows that are not paired, and the rule for critical cases. Pure.

Fisher's exact test of the hits of one among those of both: R. A. Fisher, "The design of
experiments" (1935), in integers, so that a p value of exactly 0.05 is not below it. The likelihood
ratio test ("G"): Sokal and Rohlf, "Biometry" (1995), chapter 17.
"""

from math import comb
from typing import Final, NamedTuple

import numpy as np
from scipy.special import chdtrc, xlogy

__all__ = [
    "BASELINE_AT_LEAST",
    "CANDIDATE_AT_MOST",
    "CriticalCheck",
    "Hits",
    "LikelihoodRatio",
    "check_critical",
    "fisher_exact",
    "fisher_less",
    "g_test",
    "repeats_to_break",
]

CANDIDATE_AT_MOST: Final = 0.5
"""Share of passed repeats up to which a critical case counts as broken."""

BASELINE_AT_LEAST: Final = 0.8
"""Share of passed repeats from which a critical case counts as one that used to pass."""


class Hits(NamedTuple):
    """Of independent tries."""

    hits: int
    tries: int


class LikelihoodRatio(NamedTuple):
    """With one degree of freedom, and its p value."""

    statistic: float
    p: float


class CriticalCheck(NamedTuple):
    """What the two guards say of a critical case.

    Attributes:
        broken: both say so.
        p: of Fisher's test, one-sided.
        alpha: that it is held against: the share of this case.
        effect: the candidate passes few enough, and the baseline passed enough.
    """

    broken: bool
    p: float
    alpha: float
    effect: bool


def fisher_exact(one: Hits, two: Hits) -> float:
    """Two-sided: all tables that are as unlikely, or more."""
    ways, seen = _tables(one, two)
    return sum(way for way in ways if way <= ways[seen]) / sum(ways)


def fisher_less(one: Hits, two: Hits) -> float:
    """One-sided p value of "the rate of `one` is not below that of `two`"."""
    ways, seen = _tables(one, two)
    return sum(ways[: seen + 1]) / sum(ways)


def g_test(one: Hits, two: Hits) -> LikelihoodRatio:
    """The likelihood ratio of two rates to a common one, two-sided."""
    table = np.array([[one.hits, one.tries - one.hits], [two.hits, two.tries - two.hits]], float)
    total = table.sum()
    if not total:
        return LikelihoodRatio(0.0, 1.0)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    ratio = np.divide(table, expected, out=np.ones_like(table), where=expected > 0)
    statistic = max(2 * float(xlogy(table, ratio).sum()), 0.0)
    return LikelihoodRatio(statistic, float(chdtrc(1, statistic)))


def check_critical(
    candidate: Hits, baseline: Hits, *, cases: int, alpha: float = 0.05
) -> CriticalCheck:
    """Whether a critical case that used to pass is broken.

    Two guards, so that neither a single unlucky repeat nor a hair's breadth of many is called a
    break: the candidate passes at most half of its repeats while the baseline passed four fifths
    or more; and Fisher's exact test, one-sided, at `alpha` shared by all critical cases.

    Args:
        candidate: repeats that passed, of those measured.
        baseline: the same of the baseline.
        cases: critical ones in all; at least 1.
        alpha: of all of them together.
    """
    effect = (
        min(candidate.tries, baseline.tries) > 0
        and candidate.hits <= CANDIDATE_AT_MOST * candidate.tries
        and baseline.hits >= BASELINE_AT_LEAST * baseline.tries
    )
    p = fisher_less(candidate, baseline)
    return CriticalCheck(effect and p < alpha / cases, p, alpha / cases, effect)


def repeats_to_break(cases: int, *, alpha: float = 0.05) -> int:
    """Fewest repeats with which a case that passed always and now never does can count as broken.

    4 with up to 3 critical cases, 5 with up to 12, 6 with up to 46.
    """
    repeats = 1
    while fisher_less(Hits(0, repeats), Hits(repeats, repeats)) >= alpha / cases:
        repeats += 1
    return repeats


def _tables(one: Hits, two: Hits) -> tuple[list[int], int]:
    """In how many ways each table with these margins comes, by hits of `one`; and the one seen."""
    hits = one.hits + two.hits
    least = max(0, hits - two.tries)
    possible = range(least, min(hits, one.tries) + 1)
    ways = [comb(one.tries, at) * comb(two.tries, hits - at) for at in possible]
    return ways, one.hits - least
