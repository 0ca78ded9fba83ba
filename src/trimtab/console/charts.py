"""Series of an overview as the charts take them. Pure."""

from collections.abc import Callable
from typing import Any

import msgspec

from trimtab.insights.overview import Overview, Point
from trimtab.types.clock import NS_PER_S
from trimtab.types.money import NANO_PER_USD

__all__ = ["Chart", "charts_of", "steps_of"]

_FEWEST_STEPS = 10  # on an axis

_Value = Callable[[Point], float | None]


class Chart(msgspec.Struct, frozen=True):
    """One chart.

    Attributes:
        name: stable, for its element.
        title, unit: for people.
        json: for the script in the page.
        summary: what it shows, for who cannot see it.
    """

    name: str
    title: str
    unit: str
    json: str
    summary: str


def charts_of(found: Overview, words: str) -> list[Chart]:
    """The four charts of an overview; `words` is the range as people call it."""
    points = steps_of(found)
    step = _length(found.step_s)
    make = _Maker(found, points)
    return [
        make.chart(
            ("latency", "Latency", f"whole answer, for each {step}, log scale"),
            f"Latency percentiles for each {step} of {words}.",
            unit="ms",
            series=[
                _series("P50", lambda p: p.latency.p50_ms),
                _series("P95", lambda p: p.latency.p95_ms, "dash"),
                _series("P99", lambda p: p.latency.p99_ms, "dot"),
            ],
        ),
        make.chart(
            ("ttft", "Time to first token", f"streams, for each {step}, log scale"),
            f"Percentiles of the time to the first token for each {step} of {words}.",
            unit="ms",
            series=[
                _series("P50", lambda p: p.ttft.p50_ms),
                _series("P95", lambda p: p.ttft.p95_ms, "dash"),
                _series("P99", lambda p: p.ttft.p99_ms, "dot"),
            ],
        ),
        make.chart(
            ("requests", "Requests", f"for each {step}, the last so far"),
            f"Requests, and how many of them failed, for each {step} of {words}.",
            unit="count",
            series=[
                _series("all", lambda p: p.requests),
                _series("failed", lambda p: p.failures, colour="bad"),
            ],
        ),
        make.chart(
            ("cost", "Cost", f"for each {step}, the last so far"),
            f"Cost for each {step} of {words}.",
            unit="usd",
            series=[_series("cost", lambda p: p.cost_nanousd / NANO_PER_USD)],
        ),
    ]


def steps_of(found: Overview) -> list[tuple[int, Point | None]]:
    """All steps of the range with what they saw, the first and the last in part."""
    step_ns = found.step_s * NS_PER_S
    seen = {point.since_ns: point for point in found.series}
    first = found.since_ns - found.since_ns % step_ns
    first = min([first, *seen])
    return [(at_ns, seen.get(at_ns)) for at_ns in range(first, found.until_ns, step_ns)]


class _Maker:
    def __init__(self, found: Overview, points: list[tuple[int, Point | None]]) -> None:
        self._times = [at_ns // NS_PER_S for at_ns, _ in points]
        self._points = [point for _, point in points]
        self._until = self._times[-1] + found.step_s if self._times else 0
        # A young project has little to show: the axis begins a step before it, not a day before.
        begins = next((at for at, point in enumerate(self._points) if point is not None), 0)
        shown = max(0, min(begins - 1, len(self._times) - _FEWEST_STEPS))
        self._since = self._times[shown] if self._times else 0

    def chart(
        self,
        names: tuple[str, str, str],
        summary: str,
        *,
        unit: str,
        series: list[tuple[str, _Value, str, str]],
    ) -> Chart:
        name, title, words = names
        counted = unit != "ms"  # where nothing came there was nothing, which is not so for times
        data: dict[str, Any] = {
            "unit": unit,
            "bars": counted,
            "since": self._since,
            "until": self._until,
            "times": self._times,
            "series": [
                {
                    "label": label,
                    "style": style,
                    "colour": colour,
                    "values": [
                        value(point) if point is not None else (0 if counted else None)
                        for point in self._points
                    ],
                }
                for label, value, style, colour in series
            ],
        }
        return Chart(name, title, words, msgspec.json.encode(data).decode(), summary)


def _series(
    label: str, value: _Value, style: str = "solid", *, colour: str = "accent"
) -> tuple[str, _Value, str, str]:
    return label, value, style, colour


def _length(step_s: int) -> str:
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if step_s % length == 0:
            count = step_s // length
            return unit if count == 1 else f"{count} {unit}s"
    return f"{step_s} s"
