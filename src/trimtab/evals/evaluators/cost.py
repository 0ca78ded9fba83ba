"""cost: nano-dollars of the answer, all attempts together."""

from pathlib import Path

import msgspec

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """There is none."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """No key of a case's `expected` is read."""


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - has no option
    async def judge(sample: Sample, expected: Expected) -> Score:  # noqa: ARG001 - reads no key
        if sample.cost_nanousd <= 0:  # amounts are compared as ratios, and there is none of nothing
            return not_applicable("the answer cost nothing")
        return measured(sample.cost_nanousd)

    return judge


EVALUATOR = PlainKind(
    name="cost",
    metric="cost",
    kind="amount",
    higher_is_better=False,
    summary="nano-dollars of the answer, all attempts together",
    options=Options,
    expected=Expected,
    make=_make,
)
