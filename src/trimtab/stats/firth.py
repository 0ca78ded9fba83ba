"""Logistic regression that is finite even where a variable tells all outcomes apart. Pure.

A judge that agrees with people almost always is almost told by their labels, and the maximum of the
plain likelihood then lies at infinity. The penalty of Firth, "Bias reduction of maximum likelihood
estimates" (Biometrika 80, 1993) keeps it finite: Heinze and Schemper, "A solution to the problem of
separation in logistic regression" (Statistics in Medicine 21, 2002).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Logistic", "firth_logistic"]

_Numbers = NDArray[np.float64]

_MOST_STEPS: Final = 200
_MOST_HALVINGS: Final = 30
_LONGEST_STEP: Final = 5.0
_ENOUGH: Final = 1e-9


class Logistic(NamedTuple):
    """Coefficients, each with its standard error, in the order of the columns."""

    coefficients: tuple[float, ...]
    se: tuple[float, ...]


def firth_logistic(columns: _Numbers, outcomes: _Numbers) -> Logistic:
    """Fit the chance of an outcome.

    Args:
        columns: shape (n, k), a column of ones for the constant included; of full rank.
        outcomes: shape (n,), each 0 or 1.

    Raises:
        ValueError: the columns are not of full rank.
    """
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        raise ValueError("The columns are not independent: one varies with others, or not at all.")
    at = np.zeros(columns.shape[1])
    reached = _likelihood(columns, outcomes, at)
    for _ in range(_MOST_STEPS):
        step = _step(columns, outcomes, at)
        step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), _ENOUGH))
        for _ in range(_MOST_HALVINGS):
            better = _likelihood(columns, outcomes, at + step)
            if better >= reached:
                break
            step /= 2
        at, reached = at + step, max(better, reached)
        if float(np.abs(step).max()) < _ENOUGH:
            break
    spread = np.linalg.inv(_information(columns, at))
    return Logistic(tuple(map(float, at)), tuple(map(float, np.sqrt(np.diag(spread)))))


def _chances(columns: _Numbers, at: _Numbers) -> _Numbers:
    return 1 / (1 + np.exp(-np.clip(columns @ at, -35.0, 35.0)))


def _information(columns: _Numbers, at: _Numbers) -> _Numbers:
    chances = _chances(columns, at)
    return columns.T @ (columns * (chances * (1 - chances))[:, None])


def _step(columns: _Numbers, outcomes: _Numbers, at: _Numbers) -> _Numbers:
    chances = _chances(columns, at)
    weighted = columns * np.sqrt(chances * (1 - chances))[:, None]
    inverse = np.linalg.inv(weighted.T @ weighted)
    leverage = np.einsum("ij,jk,ik->i", weighted, inverse, weighted)
    return inverse @ (columns.T @ (outcomes - chances + leverage * (0.5 - chances)))


def _likelihood(columns: _Numbers, outcomes: _Numbers, at: _Numbers) -> float:
    """The logarithm of the likelihood with its penalty."""
    chances = _chances(columns, at)
    plain = outcomes * np.log(chances) + (1 - outcomes) * np.log1p(-chances)
    return float(plain.sum()) + float(np.linalg.slogdet(_information(columns, at))[1]) / 2
