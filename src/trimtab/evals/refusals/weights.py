"""Two questions of an answer, weighed: does it refuse at all, and if so, in full."""

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from math import exp
from pathlib import Path
from typing import Final

import msgspec

__all__ = [
    "RIDGE",
    "WEIGHTS_FILE",
    "BothWeights",
    "Weights",
    "chance",
    "fingerprint",
    "fit",
    "load_weights",
]

WEIGHTS_FILE: Final = Path(__file__).with_name("weights.json")
RIDGE: Final = 2.0
"""How strongly weights are held where they start; 1 to 4 give the same figures within 1 %."""

_STEPS: Final = 30
_ENOUGH: Final = 1e-9
_SUREST: Final = 30.0


class Weights(msgspec.Struct, frozen=True):
    """Of the features of one question.

    Attributes:
        bias: log odds of an answer that shows nothing.
        features: log odds that each adds.
    """

    bias: float
    features: dict[str, float]


class BothWeights(msgspec.Struct, frozen=True):
    """Of both questions.

    Attributes:
        refuses: whether an answer refuses at all.
        in_full: whether one that does so refuses in full.
    """

    refuses: Weights
    in_full: Weights


@cache
def load_weights() -> BothWeights:
    """The weights that `python -m trimtab.evals.refusal_fit` wrote."""
    return msgspec.json.decode(WEIGHTS_FILE.read_bytes(), type=BothWeights)


@cache
def fingerprint() -> str:
    """SHA-256 over the weights and the words of all languages."""
    files = [WEIGHTS_FILE, *sorted(WEIGHTS_FILE.with_name("lexicon").glob("*.toml"))]
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def chance(values: Mapping[str, float], weights: Weights) -> float:
    """Of yes, from 0 to 1."""
    odds = weights.bias + sum(weight * values[name] for name, weight in weights.features.items())
    return 1.0 / (1.0 + exp(-max(min(odds, _SUREST), -_SUREST)))


def fit(rows: Sequence[Mapping[str, float]], yes: Sequence[bool], start: Weights) -> Weights:
    """Logistic regression by Newton's method, with a ridge that holds the weights at `start`.

    le Cessie, van Houwelingen, "Ridge estimators in logistic regression" (Applied Statistics 41,
    1992).
    """
    names = list(start.features)
    table = [[1.0, *(row[name] for name in names)] for row in rows]
    held = [start.bias, *start.features.values()]
    found = held
    for _ in range(_STEPS):
        step = _newton_step(table, yes, (held, found))
        found = [weight + change for weight, change in zip(found, step, strict=True)]
        if max(map(abs, step)) < _ENOUGH:
            break
    return Weights(found[0], dict(zip(names, found[1:], strict=True)))


def _newton_step(
    table: Sequence[Sequence[float]], yes: Sequence[bool], weights: tuple[list[float], list[float]]
) -> list[float]:
    held, found = weights
    size = len(found)
    slope = [RIDGE * (at - now) for at, now in zip(held, found, strict=True)]
    curve = [[RIDGE * (i == j) for j in range(size)] for i in range(size)]
    for row, truth in zip(table, yes, strict=True):
        odds = sum(weight * value for weight, value in zip(found, row, strict=True))
        share = 1.0 / (1.0 + exp(-max(min(odds, _SUREST), -_SUREST)))
        spread = share * (1.0 - share)
        for i, value in enumerate(row):
            if value:
                slope[i] += (truth - share) * value
                for j, other in enumerate(row):
                    curve[i][j] += spread * value * other
    return _solve(curve, slope)


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination; the matrix is positive definite, so no pivot is 0."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        for below in range(i + 1, size):
            factor = rows[below][i] / rows[i][i]
            for j in range(i, size + 1):
                rows[below][j] -= factor * rows[i][j]
    found = [0.0] * size
    for i in reversed(range(size)):
        known = sum(rows[i][j] * found[j] for j in range(i + 1, size))
        found[i] = (rows[i][size] - known) / rows[i][i]
    return found
