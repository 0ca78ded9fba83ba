"""What is independent of what: rows of repeats, cases, and clusters of cases. Pure.

Rows of a metric are an array of shape (cases, repeats) with NaN wherever nothing was measured.
The score of a case is the mean of what was measured; a case without any has no score, and no part
in anything. Cases that share a document, a conversation or a template are one unit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Labels", "Units", "case_scores", "keep", "measured_repeats", "unit_sums"]

Floats = NDArray[np.float64]
Labels = Sequence[str | int]
"""The cluster of each case; "" is a cluster of its own."""


class Units(NamedTuple):
    """Values added up by unit.

    Attributes:
        sums: shape (units,), in order of the first case of each.
        sizes: cases of each.
    """

    sums: Floats
    sizes: Floats


def unit_sums(values: Floats, clusters: Labels | None = None) -> Units:
    """Add up the values of each cluster; without clusters each value is its own unit.

    Args:
        values: shape (cases,).
        clusters: as many labels.

    Raises:
        ValueError: there are more or fewer labels than values.
    """
    if clusters is None:
        return Units(values, np.ones(len(values)))
    if len(clusters) != len(values):
        raise ValueError(f"{len(clusters)} clusters for {len(values)} cases; give one for each.")
    numbers: dict[object, int] = {}
    codes = [
        numbers.setdefault((at,) if label == "" else label, len(numbers))
        for at, label in enumerate(clusters)
    ]
    units = len(numbers)
    sums, sizes = np.zeros(units), np.zeros(units)
    np.add.at(sums, codes, values)
    np.add.at(sizes, codes, 1)
    return Units(sums, sizes)


def measured_repeats(rows: Floats) -> NDArray[np.intp]:
    """How many repeats of each case were measured, of rows (cases, repeats)."""
    return np.count_nonzero(~np.isnan(rows), axis=1)


def case_scores(rows: Floats) -> Floats:
    """The mean of each case's measured repeats, shape (cases,); NaN where there is none."""
    counts = measured_repeats(rows)
    sums = np.where(np.isnan(rows), 0.0, rows).sum(axis=1)
    return np.divide(sums, counts, out=np.full(len(rows), np.nan), where=counts > 0)


def keep(clusters: Labels | None, which: NDArray[np.bool_]) -> Labels | None:
    """The labels of the cases that are kept."""
    if clusters is None:
        return None
    return [str(label) for label, kept in zip(clusters, which, strict=True) if kept]
