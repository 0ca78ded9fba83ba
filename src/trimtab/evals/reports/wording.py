"""Figures of metrics as people read them, by the kind of their values. Pure.

Amounts are in the unit that the metric's name ends with (`latency_ms`, `cost_nanousd`); `latency`
alone is milliseconds and `cost` alone nano-dollars, as samples have them.
"""

import math

from trimtab.looks.words import NONE, milliseconds, percent, usd
from trimtab.types.experiments import MetricKind

__all__ = ["change", "figure", "interval", "margin", "probability", "span"]

_TIMES = "\N{MULTIPLICATION SIGN}"


def figure(metric: str, kind: MetricKind, value: float | None) -> str:
    """A mean; a dash for none."""
    if value is None or not math.isfinite(value):
        return NONE
    if kind == "rate":
        return percent(value)
    if kind == "score":
        return f"{value:.3f}"
    if kind == "preference":
        return _points(value)
    return _amount(metric, value)


def span(metric: str, kind: MetricKind, ends: tuple[float | None, float | None]) -> str:
    """An interval of a mean; "" where there is none."""
    low, high = ends
    if low is None or high is None:
        return ""
    if kind == "preference":
        return interval(kind, ends)
    return f"{figure(metric, kind, low)} to {figure(metric, kind, high)}"


def change(kind: MetricKind, value: float | None) -> str:
    """A difference; of amounts a ratio."""
    if value is None or not math.isfinite(value):
        return NONE
    if kind == "amount":
        return f"{_TIMES}{value:.3f}"
    if kind == "score":
        return _signed(value, 3)
    return _points(value)


def interval(kind: MetricKind, ends: tuple[float | None, float | None]) -> str:
    """An interval of a difference; "" where there is none."""
    low, high = ends
    if low is None or high is None:
        return ""
    if kind == "amount":
        return f"{_TIMES}{low:.3f} to {_TIMES}{high:.3f}"
    if kind == "score":
        return f"{_signed(low, 3)} to {_signed(high, 3)}"
    return f"{_signed(100 * low, 1)} to {_points(high)}"


def margin(kind: MetricKind, value: float) -> str:
    """How much worse is good enough."""
    if kind == "amount":
        return f"{_TIMES}{value:.2f}"
    return f"{value:.3f}" if kind == "score" else f"{100 * value:.1f} pp"


def probability(value: float | None) -> str:
    """A p-value; "" for none."""
    if value is None:
        return ""
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.2g}"


def _amount(metric: str, value: float) -> str:
    if metric == "latency" or metric.endswith("_ms"):
        return milliseconds(value)
    if metric == "cost" or metric.endswith("_nanousd"):
        return usd(round(value))
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _points(value: float) -> str:
    """A difference of shares in percentage points."""
    return f"{_signed(100 * value, 1)} pp"


def _signed(value: float, places: int) -> str:
    rounded = round(value, places) + 0.0  # which makes a negative zero a positive one
    return f"{rounded:+.{places}f}" if rounded else f"{0:.{places}f}"
