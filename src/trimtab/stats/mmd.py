"""Whether two sets of answers to the same prompts come from one distribution. Pure.

Two answers to one prompt are as near as the share of places at which they have the same character;
answers to different prompts are not compared. The statistic is how much nearer answers are within
the sets than across: the unbiased estimate of the squared maximum mean discrepancy with this kernel
(Gao, Liang and Guestrin, "Model Equality Testing", arXiv 2410.20247). It is 0 on average where the
two are alike. Its p-value is by permutation within prompts, and exact.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.units import Floats

__all__ = ["Answer", "Discrepancy", "hamming_mmd"]


class Answer(NamedTuple):
    """One of several answers to a prompt."""

    prompt: str
    text: str


class Discrepancy(NamedTuple):
    """What two sets differ by.

    Attributes:
        value: the statistic, about 0 for sets that are alike; never above 2.
        p: share of permutations, the one that was seen counted in, with as much or more.
    """

    value: float
    p: float


def hamming_mmd(
    first: Sequence[Answer],
    second: Sequence[Answer],
    *,
    length: int = 1_000,
    permutations: int = 999,
    seed: int = 0,
) -> Discrepancy:
    """The discrepancy of two sets of answers.

    Args:
        first: has some prompt at least twice.
        second: likewise, and shares a prompt with the first.
        length: characters that are compared; shorter answers are filled up with what no answer
            has, so that two which have ended are alike there.
        permutations: for the p-value; 0 for none, and p is 1.
        seed: of them.

    Raises:
        ValueError: there is nothing to compare within a set, or across.
    """
    prompts = np.array([answer.prompt for answer in (*first, *second)])
    near = _nearness([answer.text for answer in (*first, *second)], length)
    near[prompts[:, None] != prompts[None, :]] = 0.0
    np.fill_diagonal(near, 0.0)
    inside = np.zeros(len(prompts))
    inside[: len(first)] = 1.0
    pairs = _pairs(prompts, inside)
    value = _statistic(near, inside, pairs)
    if not permutations:
        return Discrepancy(value, 1.0)
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(prompts == prompt) for prompt in np.unique(prompts)]
    as_much = 1
    for _ in range(permutations):
        shuffled = inside.copy()
        for group in groups:
            shuffled[group] = rng.permutation(inside[group])
        as_much += _statistic(near, shuffled, pairs) >= value - 1e-12
    return Discrepancy(value, as_much / (permutations + 1))


def _nearness(texts: Sequence[str], length: int) -> Floats:
    """Share of places with the same character, for each pair."""
    places = np.full((len(texts), length), -1, dtype=np.int32)
    for row, text in zip(places, texts, strict=True):
        codes = [ord(character) for character in text[:length]]
        row[: len(codes)] = codes
    return np.array([(places == row).mean(axis=1) for row in places])


def _pairs(prompts: NDArray[np.str_], inside: Floats) -> tuple[float, float, float]:
    """How many ordered pairs share a prompt: within each set, and across. Permuting keeps it."""
    same = (prompts[:, None] == prompts[None, :]).astype(float)
    np.fill_diagonal(same, 0.0)
    outside = 1 - inside
    found = (inside @ same @ inside, outside @ same @ outside, inside @ same @ outside)
    if min(found) == 0:
        raise ValueError(
            "Each set needs two answers to one prompt, and both an answer to the same one."
        )
    return float(found[0]), float(found[1]), float(found[2])


def _statistic(near: Floats, inside: Floats, pairs: tuple[float, float, float]) -> float:
    outside = 1 - inside
    to_inside, to_outside = near @ inside, near @ outside
    within, beyond, across = pairs
    return float(
        inside @ to_inside / within
        + outside @ to_outside / beyond
        - 2 * (inside @ to_outside) / across
    )
