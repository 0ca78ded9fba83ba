"""Many tests at once: adjusted p values, each to be held against alpha itself. Pure.

Holm, "A simple sequentially rejective multiple test procedure" (Scandinavian Journal of Statistics
6, 1979): the probability of any false call stays below alpha, whatever the dependence. Benjamini
and Hochberg, "Controlling the false discovery rate" (Journal of the Royal Statistical Society B
57, 1995): of all calls, a share of at most q is false on average.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.units import Floats

__all__ = ["benjamini_hochberg", "bonferroni", "holm"]


def bonferroni(p_values: Sequence[float]) -> list[float]:
    """Each times their number, at most 1; in the order given."""
    return [min(p * len(p_values), 1.0) for p in p_values]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted for the family; in the order given."""
    p, order = _sorted(p_values)
    factors = np.arange(len(p), 0, -1)
    return _unsorted(np.maximum.accumulate(p * factors), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted for the share of false ones among the calls; in the order given."""
    p, order = _sorted(p_values)
    factors = len(p) / np.arange(1, len(p) + 1)
    return _unsorted(np.minimum.accumulate((p * factors)[::-1])[::-1], order)


def _sorted(p_values: Sequence[float]) -> tuple[Floats, NDArray[np.intp]]:
    p = np.array(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    return p[order], order


def _unsorted(adjusted: Floats, order: NDArray[np.intp]) -> list[float]:
    found = np.empty(len(adjusted))
    found[order] = np.minimum(adjusted, 1.0)
    return [float(p) for p in found]
