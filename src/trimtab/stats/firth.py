"""Logistic regression that is finite even where a variable tells all outcomes apart. Pure.

A judge that agrees with people almost always is almost told by their labels, and the maximum of the
plain likelihood then lies at infinity. The penalty of Firth, "Bias reduction of maximum likelihood
estimates" (Biometrika 80, 1993) keeps it finite: Heinze and Schemper, "A solution to the problem of
separation in logistic regression" (Statistics in Medicine 21, 2002).
"""

from typing import Final, NamedTuple

import numpy as np

from trimtab.stats.units import Floats

__all__ = ["Logistic", "firth_logistic"]

_MOST_STEPS: Final = 200
_MOST_HALVINGS: Final = 30
_LONGEST_STEP: Final = 5.0
_ENOUGH: Final = 1e-9


class Logistic(NamedTuple):
    """Coefficients, each with its standard error, in the order of the columns."""

    coefficients: tuple[float, ...]
    se: tuple[float, ...]


def firth_logistic(columns: Floats, outcomes: Floats) -> Logistic:
    """Fit the chance of an outcome.

    Args:
        columns: shape (n, k), a column of ones for the constant included; of full rank.
        outcomes: shape (n,), each 0 or 1.

    Raises:
        ValueError: the columns are not of full rank.
    """
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        raise ValueError("The columns are not independent: one varies with others, or not at all.")
    at, steps, moved = np.zeros(columns.shape[1]), 0, 1.0
    while moved > _ENOUGH and steps < _MOST_STEPS:
        step = _shortened(columns, outcomes, at)
        at, steps, moved = at + step, steps + 1, float(np.abs(step).max())
    spread = np.linalg.inv(_information(columns, at))
    return Logistic(tuple(map(float, at)), tuple(map(float, np.sqrt(np.diag(spread)))))


def _chances(columns: Floats, at: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(columns @ at, -35.0, 35.0)))


def _information(columns: Floats, at: Floats) -> Floats:
    chances = _chances(columns, at)
    return columns.T @ (columns * (chances * (1 - chances))[:, None])


def _step(columns: Floats, outcomes: Floats, at: Floats) -> Floats:
    chances = _chances(columns, at)
    weighted = columns * np.sqrt(chances * (1 - chances))[:, None]
    inverse = np.linalg.inv(weighted.T @ weighted)
    leverage = np.einsum("ij,jk,ik->i", weighted, inverse, weighted)
    return inverse @ (columns.T @ (outcomes - chances + leverage * (0.5 - chances)))


def _shortened(columns: Floats, outcomes: Floats, at: Floats) -> Floats:
    """A step of Newton's, halved until it leads upwards."""
    step = _step(columns, outcomes, at)
    step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), _ENOUGH))
    reached = _likelihood(columns, outcomes, at)
    halved = (step / 2**times for times in range(_MOST_HALVINGS))
    up = (part for part in halved if _likelihood(columns, outcomes, at + part) >= reached)
    return next(up, np.zeros_like(step))


def _likelihood(columns: Floats, outcomes: Floats, at: Floats) -> float:
    """The logarithm of the likelihood with its penalty."""
    chances = _chances(columns, at)
    plain = outcomes * np.log(chances) + (1 - outcomes) * np.log1p(-chances)
    return float(plain.sum()) + float(np.linalg.slogdet(_information(columns, at))[1]) / 2
