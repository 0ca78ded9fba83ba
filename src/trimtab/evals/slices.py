"""Where a difference may hide: each primary metric on the cases of each tag. Exploratory."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from trimtab.datasets.case import Case
from trimtab.evals.compare import Pair, measured_rows
from trimtab.evals.result import Slice
from trimtab.stats.multiple import benjamini_hochberg
from trimtab.stats.resampling import sign_flip
from trimtab.stats.units import case_scores

__all__ = ["find_slices"]

_FALSE_DISCOVERY: Final = 0.10
_FEWEST: Final = 5  # cases; of fewer nothing can be found
_MOST: Final = 200


def find_slices(pairs: Sequence[Pair], cases: Sequence[Case]) -> list[Slice]:
    """The slices with the smallest p values first; `found` by Benjamini and Hochberg at 10 %."""
    tags = sorted({tag for case in cases for tag in case.tags})
    found: list[Slice] = []
    for pair in pairs:
        if pair.candidate.kind in {"preference", "amount"}:
            continue
        new, old = (case_scores(measured_rows(one)) for one in (pair.candidate, pair.baseline))
        differences = new - old
        for tag in tags:
            inside = np.array([tag in case.tags for case in cases]) & ~np.isnan(differences)
            if int(inside.sum()) < _FEWEST or not np.any(differences[inside]):
                continue
            tails = sign_flip(differences[inside])
            found.append(
                Slice(
                    tag=tag,
                    metric=pair.candidate.metric,
                    cases=int(inside.sum()),
                    difference=float(differences[inside].mean()),
                    p=tails.exact,
                    found=False,
                )
            )
    return _judged(found)[:_MOST]


def _judged(slices: Sequence[Slice]) -> list[Slice]:
    adjusted = benjamini_hochberg([one.p for one in slices])
    told = [
        Slice(
            tag=one.tag,
            metric=one.metric,
            cases=one.cases,
            difference=one.difference,
            p=one.p,
            found=p <= _FALSE_DISCOVERY,
        )
        for one, p in zip(slices, adjusted, strict=True)
    ]
    return sorted(told, key=lambda one: one.p)
