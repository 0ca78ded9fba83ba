"""What settled attempts and finished inferences come to, as plain counters.

They belong to the event loop's thread and are read when somebody asks. An inference pays for a few
additions: 1 us of its 75. Their number is bounded by the project, because no name of a caller is
among what they are kept by.
"""

from bisect import bisect_left
from typing import Final

from trimtab.telemetry.snapshot import AttemptTotals, Durations, InferenceTotals
from trimtab.types.records import Cause, Outcome, Settle
from trimtab.types.refs import ModelRef

__all__ = ["BOUNDS_S", "Kind", "Tally"]

Kind = tuple[str, ModelRef, Cause]
"""Of attempts: the route, whom it asked, and why. All from the project."""

BOUNDS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of the histograms' buckets: from a cached answer to a long reasoning."""

_BOUNDS_US: Final = tuple(int(bound * 1e6) for bound in BOUNDS_S)


class Tally:
    """Counts from the start of the process on; outlives reloads."""

    __slots__ = ("_spent", "_took")

    def __init__(self) -> None:
        self._spent: dict[tuple[Kind, Outcome], _Spent] = {}
        self._took: dict[tuple[str, Outcome], _Took] = {}

    def settled(self, settle: Settle, kind: Kind) -> None:
        """Count an attempt, and its inference if it is the last one.

        Args:
            settle: what came of it, as it goes on record.
            kind: of the attempt.
        """
        outcome = settle.outcome
        spent = self._spent.get((kind, outcome))
        if spent is None:
            spent = self._spent[kind, outcome] = _Spent()
        usage = settle.usage
        spent.attempts += 1
        spent.cost_nanousd += settle.cost_nanousd
        spent.input_tokens += usage.input_tokens
        spent.output_tokens += usage.output_tokens
        if not settle.final:
            return
        took, latency_us, ttft_us = spent.took, settle.latency_us, settle.ttft_us
        if took is None:
            took = spent.took = self._took.setdefault((kind[0], outcome), _Took())
        took.latency[bisect_left(_BOUNDS_US, latency_us)] += 1
        took.latency_us += latency_us
        if ttft_us is not None:
            took.ttft[bisect_left(_BOUNDS_US, ttft_us)] += 1
            took.ttft_us += ttft_us

    def attempts(self) -> tuple[AttemptTotals, ...]:
        """Settled attempts by route, model, cause and outcome."""
        return tuple(
            AttemptTotals(
                route=route,
                provider=ref.provider,
                model=ref.model,
                cause=cause,
                outcome=outcome,
                attempts=spent.attempts,
                cost_nanousd=spent.cost_nanousd,
                input_tokens=spent.input_tokens,
                output_tokens=spent.output_tokens,
            )
            for ((route, ref, cause), outcome), spent in self._spent.items()
        )

    def inferences(self) -> tuple[InferenceTotals, ...]:
        """Inferences that are over, by route and outcome."""
        return tuple(
            InferenceTotals(
                route=route,
                outcome=outcome,
                latency=Durations(BOUNDS_S, tuple(took.latency), took.latency_us),
                ttft=Durations(BOUNDS_S, tuple(took.ttft), took.ttft_us),
            )
            for (route, outcome), took in self._took.items()
        )


class _Spent:
    """Sums over attempts; and of the inferences that ended with one of them, what they took."""

    __slots__ = ("attempts", "cost_nanousd", "input_tokens", "output_tokens", "took")

    def __init__(self) -> None:
        self.attempts = 0
        self.cost_nanousd = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.took: _Took | None = None


class _Took:
    """Two histograms, and the sums of what is in them in microseconds."""

    __slots__ = ("latency", "latency_us", "ttft", "ttft_us")

    def __init__(self) -> None:
        self.latency = [0] * (len(BOUNDS_S) + 1)
        self.latency_us = 0
        self.ttft = [0] * (len(BOUNDS_S) + 1)
        self.ttft_us = 0
