"""Percentiles of a sample with intervals that assume nothing about its distribution."""

from collections.abc import Sequence
from math import ceil, exp, lgamma, log
from typing import NamedTuple

__all__ = ["Quantile", "failures_at_most", "quantile"]

_SURE = 0.95


class Quantile(NamedTuple):
    """A percentile, and between which order statistics the true one lies, 19 times of 20.

    Attributes:
        value: the smallest value that the share is at or below.
        low, high: the interval; `high` is None where the sample is too small to bound it.
        beyond: values above it: what it rests on.
    """

    value: float
    low: float
    high: float | None
    beyond: int


def quantile(ordered: Sequence[float], share: float) -> Quantile:
    """The `share` quantile of values in rising order, with its 95 % interval.

    The number of values below the true quantile is binomial, whatever the distribution is; see
    David and Nagaraja, Order Statistics, 7.1.
    """
    size = len(ordered)
    place = max(ceil(share * size), 1)
    half = (1 - _SURE) / 2
    low = high = 0
    below = 0.0
    for count in range(size + 1):
        if below <= half:
            low = count  # P(fewer than `count` values lie below) <= half
        if below < 1 - half:
            high = count + 1
        below += _binomial(size, count, share)
    return Quantile(
        ordered[place - 1],
        ordered[max(low, 1) - 1],
        ordered[high - 1] if high <= size else None,
        size - place,
    )


def failures_at_most(failures: int, calls: int) -> float:
    """Upper end of the one-sided 95 % interval of a share of failures (Clopper and Pearson)."""
    low, high = failures / calls, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        seen = sum(_binomial(calls, count, middle) for count in range(failures + 1))
        low, high = (middle, high) if seen > 1 - _SURE else (low, middle)
    return high


def _binomial(size: int, count: int, share: float) -> float:
    if share in {0.0, 1.0}:
        return float(count == size * share)
    ways = lgamma(size + 1) - lgamma(count + 1) - lgamma(size - count + 1)
    return exp(ways + count * log(share) + (size - count) * log(1 - share))
