"""How often a gate would block what is the same: measured on a suite's own answers."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.evals.frame import Frame
from trimtab.evals.gate import judge, primary_metrics
from trimtab.evals.result import Verdict
from trimtab.evals.scores import MetricScores

__all__ = ["SPLITS", "Identical", "judge_identical"]

SPLITS: Final = 500
"""Enough to tell 5 % to one point."""


class Identical(NamedTuple):
    """What a gate said of one setup against itself.

    Attributes:
        splits: how often its repeats were divided at random into two setups.
        repeats: of each case in each of them.
        verdicts: how often the gate said what.
    """

    splits: int
    repeats: int
    verdicts: dict[Verdict, int]

    def share(self, verdict: Verdict) -> float:
        """Of the splits."""
        return self.verdicts.get(verdict, 0) / self.splits if self.splits else 0.0


def judge_identical(
    metrics: Sequence[MetricScores], frame: Frame, *, splits: int = SPLITS, seed: int = 1
) -> Identical:
    """Divide the repeats of one setup at random into two, and let the gate compare them.

    Args:
        metrics: of the setup, with an even number of repeats, at least 2.
        frame: cases and policy.
        splits: how often.
        seed: of the divisions.

    Raises:
        ValueError: there are fewer than two repeats.
    """
    primary = primary_metrics(metrics, frame)
    deciding = [one for one in metrics if one.metric in primary and one.kind != "preference"]
    repeats = metrics[0].values.shape[1] // 2 if metrics else 0
    if repeats < 1:
        raise ValueError("Two repeats of each case are needed.")
    random = np.random.default_rng(seed)
    said: Counter[Verdict] = Counter()
    for _ in range(splits):
        # Each case is divided by itself: its first repeats may be of another hour.
        order = np.argsort(random.random(metrics[0].values.shape), axis=1)
        halves = [
            _part(deciding, order[:, half * repeats : (half + 1) * repeats]) for half in (0, 1)
        ]
        said[judge(halves[0], halves[1], frame, explore=False).verdict] += 1
    return Identical(splits, repeats, dict(said))


def _part(metrics: Sequence[MetricScores], which: NDArray[np.intp]) -> list[MetricScores]:
    return [
        one._replace(
            values=np.take_along_axis(one.values, which, axis=1),
            status=np.take_along_axis(one.status, which, axis=1),
        )
        for one in metrics
    ]
