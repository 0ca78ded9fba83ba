"""What one setup did on the cases that a report shows: texts, labels, reasons."""

from collections import defaultdict
from collections.abc import Collection
from math import isfinite
from statistics import median
from typing import Final

from trimtab.evals.result import Side
from trimtab.evals.scores import Scores
from trimtab.types.experiments import Mark, Row

__all__ = ["read_sides"]

_MOST_TEXTS: Final = 10  # repeats whose texts are shown


class _Gathered:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.labels: defaultdict[str, list[str]] = defaultdict(list)
        self.reasons: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, mark: Mark) -> None:
        for words, told in ((mark.label, self.labels), (mark.reason, self.reasons)):
            if words and words not in told[mark.metric]:
                told[mark.metric].append(words)

    def side(self, scores: dict[str, float]) -> Side:
        rows = sorted(self.rows, key=lambda row: row.repeat)
        answered = [row for row in rows if row.status == "ok"]
        times = [row.latency_us / 1000 for row in answered]
        return Side(
            texts=[_text_of(row) for row in rows[:_MOST_TEXTS]],
            scores=scores,
            labels=dict(self.labels),
            reasons=dict(self.reasons),
            errors=[row.error_code for row in rows if row.status == "error"],
            cost_nanousd=sum(row.cost_nanousd for row in rows),
            latency_ms=median(times) if times else 0.0,
        )


def read_sides(scores: Scores, places: Collection[int]) -> dict[int, Side]:
    """What a setup did on the cases at some places, by place.

    Args:
        scores: of the setup.
        places: of the cases that are wanted.
    """
    found = {place: _Gathered() for place in places}
    for place, row in scores.rows():
        if place in found:
            found[place].rows.append(row)
    for place, mark in scores.marks(places):
        found[place].add(mark)
    means = {one.metric: one.case_means() for one in scores.metrics()}
    return {
        place: gathered.side(
            {
                metric: float(values[place])
                for metric, values in means.items()
                if isfinite(values[place])
            }
        )
        for place, gathered in found.items()
    }


def _text_of(row: Row) -> str:
    """The answer, with the tools that it wants called."""
    calls = [f"{call.name}({call.arguments})" for call in row.tool_calls]
    return "\n".join([*([row.text] if row.text or not calls else []), *calls])
