"""Tests and intervals by resampling: sign flips, and the bootstrap. Pure and seeded.

Sign flips: if two setups are the same, which of a case's two scores belongs to which is a toss of
a coin, so that each difference was as likely to have the other sign. That holds for any
distribution, any number of cases and any clusters, where whole clusters are flipped.

The bootstrap draws cases, or whole clusters, and keeps the repeats of a drawn case as they are:
drawing repeats again would count their noise twice (Davison and Hinkley, "Bootstrap methods and
their application", 1997, section 3.8). Ends are bias-corrected and accelerated: Efron, "Better
bootstrap confidence intervals" (Journal of the American Statistical Association 82, 1987).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri

from trimtab.stats.paired import Tails
from trimtab.stats.rates import Interval
from trimtab.stats.units import Floats, Labels, unit_sums

__all__ = ["MOST_ENUMERATED", "bca_interval", "sign_flip"]

MOST_ENUMERATED: Final = 20
"""Differences other than 0 up to which all signs are tried."""

_DRAWS: Final = 10_000
_SEED: Final = 20_261_130
_AT_A_TIME: Final = 2_000_000  # numbers drawn, to bound memory
_SAME: Final = 1e-9  # of the sum of all absolute differences: sums in floating point are not exact


def sign_flip(differences: Floats, *, draws: int = _DRAWS, seed: int = _SEED) -> Tails:
    """Where the sum of differences lies among the sums with all signs that they could have.

    With more than `MOST_ENUMERATED` differences other than 0 among `draws` random signs, each with
    its opposite, and the real ones.

    Args:
        differences: of each case, or summed over each cluster; shape (units,).
        draws: of random signs.
        seed: of the draws.
    """
    size = float(np.abs(differences).sum())
    others = differences[np.abs(differences) > _SAME * size]
    if not len(others):
        return Tails(0.0, 1.0, 0.0)
    seen, apart = float(others.sum()), _SAME * size
    if len(others) <= MOST_ENUMERATED:
        half = len(others) // 2
        left, right = _all_sums(others[:half]), np.sort(_all_sums(others[half:]))
        below = int(np.searchsorted(right, seen - apart - left).sum())
        upto = int(np.searchsorted(right, seen + apart - left, side="right").sum())
        every = len(left) * len(right)
    else:
        sums = _random_sums(others, draws, seed)
        below = int(np.count_nonzero(sums < seen - apart))
        upto = int(np.count_nonzero(sums <= seen + apart)) + 1
        every = len(sums) + 1
    return Tails(below / every, (upto - below) / every, (every - upto) / every)


def bca_interval(
    scores: Floats,
    clusters: Labels | None = None,
    *,
    confidence: float = 0.95,
    draws: int = _DRAWS,
    seed: int = _SEED,
) -> Interval:
    """The BCa bootstrap interval of a mean of scores, or of paired differences.

    Args:
        scores: of cases, repeats averaged; shape (cases,) without NaN; not all the same.
        clusters: of the cases.
        confidence: two-sided.
        draws: bootstrap samples.
        seed: of the draws.

    Raises:
        ValueError: there are fewer than two clusters, or they are all alike: nothing to draw.
    """
    sums, sizes = unit_sums(scores, clusters)
    order = np.lexsort((sizes, sums))
    sums, sizes = sums[order], sizes[order]
    means = sums / sizes
    if len(sums) < 2 or float(np.ptp(means)) <= _SAME * float(np.abs(means).max()):
        raise ValueError("All clusters are alike; a bootstrap of them says nothing.")
    found = np.sort(_bootstrap_means(sums, sizes, (draws, seed)))
    value = float(scores.mean())
    low = int(np.searchsorted(found, value - _SAME * abs(value)))
    upto = int(np.searchsorted(found, value + _SAME * abs(value), side="right"))
    bias = float(ndtri(min(max((low + upto) / (2 * draws), 1 / draws), 1 - 1 / draws)))
    left_out = (sums.sum() - sums) / (sizes.sum() - sizes)
    bent = left_out.mean() - left_out
    bend = float((bent**3).sum() / (6 * (bent**2).sum() ** 1.5))
    z = ndtri((1 - confidence) / 2)
    ends = [bias + (bias + side) / (1 - bend * (bias + side)) for side in (z, -z)]
    at_low, at_high = np.quantile(found, ndtr(ends))
    return Interval(float(at_low), float(at_high))


def _all_sums(values: Floats) -> Floats:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate((sums - value, sums + value))
    return sums


def _random_sums(values: Floats, draws: int, seed: int) -> Floats:
    """Each with its opposite, so that swapping the setups swaps the tails."""
    rng = np.random.default_rng(seed)
    sizes = np.sort(np.abs(values))
    found = list[Floats]()
    for some in _batches(draws // 2, len(sizes)):
        signs = rng.integers(0, 2, size=(some, len(sizes))).astype(np.float64)
        sums = (2 * signs - 1) @ sizes
        found += [sums, -sums]
    return np.concatenate(found)


def _bootstrap_means(sums: Floats, sizes: Floats, how: tuple[int, int]) -> Floats:
    """Means of samples of units with replacement."""
    draws, seed = how
    rng = np.random.default_rng(seed)
    units = len(sums)
    found = list[Floats]()
    for some in _batches(draws, units):
        chosen = rng.integers(0, units, size=(some, units))
        found.append(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1))
    return np.concatenate(found)


def _batches(draws: int, units: int) -> Iterator[int]:
    step = max(_AT_A_TIME // units, 1)
    for first in range(0, draws, step):
        yield min(step, draws - first)
