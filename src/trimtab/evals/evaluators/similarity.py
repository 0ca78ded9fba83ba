"""similarity: the answer says what the expected one says, as far as words tell."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable
from trimtab.evals.grounding.likeness import likeness
from trimtab.evals.options import Text, Texts, listed
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_LIKE = 0.6
_UNLIKE = 0.3


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    ignore_extra: Annotated[
        bool, Meta(description="the answer may say more than the expected one")
    ] = False


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    answer: Annotated[Texts | None, Meta(description="the answer, or several that are right")] = (
        None
    )
    answers: Annotated[list[Text], Meta(description="more that are right")] = []


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        right = [*listed(expected.answer or []), *expected.answers]
        if not right:
            return not_applicable("the case expects no answer")
        value = max(likeness(sample.text, one, ignore_extra=options.ignore_extra) for one in right)
        label = "like" if value >= _LIKE else "unlike" if value < _UNLIKE else "partly"
        return measured(value, label)

    return judge


EVALUATOR = PlainKind(
    name="similarity",
    metric="similarity",
    kind="score",
    summary="the answer says what the expected one says, as far as words tell",
    options=Options,
    expected=Expected,
    make=_make,
)
