"""Whether what was not measured leaves anything to conclude from. Pure.

Answers that fail, and answers that cannot be scored, may be the regression itself: a candidate that
breaks on hard cases looks better on the rest.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.paired import mcnemar

__all__ = ["MOST_DROPPED", "Missingness", "check_missing"]

MOST_DROPPED: Final = 0.05
"""Share of planned rows that may be missing on either side."""

_ALPHA: Final = 0.05


class Missingness(NamedTuple):
    """What is missing.

    Attributes:
        dropped: share of planned rows that were not measured in both setups; 1 of no rows.
        candidate_only, baseline_only: rows that are missing in that setup alone.
        p: exact McNemar test, two-sided, of both setups missing equally many.
        conclusive: there is enough, and missing alike.
    """

    dropped: float
    candidate_only: int
    baseline_only: int
    p: float
    conclusive: bool


def check_missing(
    candidate: NDArray[np.bool_],
    baseline: NDArray[np.bool_],
    *,
    most_dropped: float = MOST_DROPPED,
) -> Missingness:
    """Look at which planned rows were measured.

    Args:
        candidate: one for each planned row (case, repeat); rows of cases that do not ask for the
            metric are not planned.
        baseline: the same rows in the same order.
        most_dropped: share from which on nothing can be concluded.

    Raises:
        ValueError: the shapes differ.
    """
    if candidate.shape != baseline.shape:
        raise ValueError(
            f"{candidate.shape} planned rows of one side, {baseline.shape} of the other."
        )
    if not candidate.size:
        return Missingness(1.0, 0, 0, 1.0, conclusive=False)
    dropped = 1 - float((candidate & baseline).mean())
    candidate_only = int(np.count_nonzero(~candidate & baseline))
    baseline_only = int(np.count_nonzero(candidate & ~baseline))
    p = mcnemar(candidate_only, baseline_only).exact
    conclusive = dropped <= most_dropped + 1e-12 and p >= _ALPHA
    return Missingness(dropped, candidate_only, baseline_only, p, conclusive)
