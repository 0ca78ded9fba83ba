"""Published and real tables of two setups on the same cases."""

from typing import NamedTuple

import numpy as np

from trimtab.stats.paired import PairCounts
from trimtab.stats.units import Floats

ARMITAGE = PairCounts(20, 12, 2, 16)
"""Tubercle bacilli on two media: Armitage and Berry, "Statistical methods in medical research"."""


class Drift(NamedTuple):
    """One task of a model in March and June 2023."""

    name: str
    pairs: PairCounts
    before: float
    after: float
    p: float


# Chen, Zaharia and Zou, "How is ChatGPT's behavior changing over time?" (arXiv 2307.09009, 2023),
# paired by us from the answers in their repository.
LLM_DRIFT = [
    Drift("primes", PairCounts(364, 147, 476, 13), 0.840, 0.511, 2.1e-41),
    Drift("code-4", PairCounts(3, 2, 23, 22), 0.52, 0.10, 1.943e-05),
    Drift("code-3.5", PairCounts(1, 0, 10, 39), 0.22, 0.02, 0.001953),
    Drift("sensitive-4", PairCounts(5, 0, 16, 79), 0.21, 0.05, 3.05e-05),
    Drift("sensitive-3.5", PairCounts(2, 6, 0, 92), 0.02, 0.08, 0.03125),
]


def rows_of(pairs: PairCounts) -> tuple[Floats, Floats]:
    """Scores of candidate and baseline, one for each case."""
    candidate = np.repeat([1.0, 1, 0, 0], pairs)
    baseline = np.repeat([1.0, 0, 1, 0], pairs)
    return candidate, baseline
