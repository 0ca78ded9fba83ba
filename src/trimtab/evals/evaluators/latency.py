"""latency: milliseconds to the last byte of the answer."""

from pathlib import Path

import msgspec

from trimtab.evals.evaluator import Sample, Score, measured, unmeasured
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """There is none."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """No key of a case's `expected` is read."""


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - has no option
    async def judge(sample: Sample, expected: Expected) -> Score:  # noqa: ARG001 - reads no key
        if sample.latency_ms <= 0:
            return unmeasured("the answer has no latency")
        return measured(sample.latency_ms)

    return judge


EVALUATOR = PlainKind(
    name="latency",
    metric="latency",
    kind="amount",
    higher_is_better=False,
    summary="milliseconds to the last byte of the answer",
    options=Options,
    expected=Expected,
    make=_make,
)
