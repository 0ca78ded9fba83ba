"""An evaluator that comes from outside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimtab.errors import UsageError
from trimtab.evals.evaluator import Ask, Evaluator, Sample, Score, measured
from trimtab.types.experiments import MetricKind


class _Shouting:
    def __init__(self, most: float) -> None:
        self._most = most

    async def evaluate(self, sample: Sample, ask: Ask) -> Score:
        letters = [letter for letter in sample.text if letter.isalpha()]
        loud = sum(letter.isupper() for letter in letters) / max(len(letters), 1)
        return measured(loud <= self._most, label="calm" if loud <= self._most else "shouting")


class _Kind:
    name = "acme_shouting"
    version = 1
    metric = "tone"
    kind: MetricKind = "rate"
    higher_is_better = True
    asks = False
    summary = "the answer does not shout"

    def build(self, options: Mapping[str, Any], folder: Path) -> Evaluator:
        most = options.get("most", 0.3)
        if not isinstance(most, float) or set(options) - {"most"}:
            raise UsageError("acme_shouting takes one option, `most`. Give a share, such as 0.3.")
        return _Shouting(most)


EVALUATOR = _Kind()
