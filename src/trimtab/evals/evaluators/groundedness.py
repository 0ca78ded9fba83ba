"""groundedness: what the answer says stands in the sources of its case; told without a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.grounding.answer import THRESHOLD, Grounding, ground_answer
from trimtab.evals.grounding.reasons import reason_of
from trimtab.evals.plain_kind import Judge, Particulars, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_LONGEST_QUESTION: Final = 2_000  # characters; the end of a longer prompt is what is asked


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    threshold: Annotated[
        float, Meta(gt=0, lt=1, description="support below which an answer is unsupported")
    ] = THRESHOLD
    as_: Annotated[
        Literal["rate", "score"],
        Meta(
            description="`rate`: 1 for an unsupported answer, as metric `hallucination`; "
            "`score`: the support itself, as metric `groundedness`, more is better"
        ),
    ] = msgspec.field(default="rate", name="as")
    question: Annotated[
        str,
        Meta(
            description="variable of the case that has the question; without one it is what the "
            "prompt says beside the sources"
        ),
    ] = ""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing: the sources of the case are what counts."""


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:  # noqa: ARG001 - reads none
        sources = [source for source in sample.case.sources if source.strip()]
        if not sources:
            return not_applicable("the case has no sources")
        question = _question(sample, sources, options.question)
        if question is None:
            return unmeasured(f"the case has no variable `{options.question}` that is a text")
        return _score(ground_answer(sample.text, sources, question), options)

    return judge


def _score(grounding: Grounding, options: Options) -> Score:
    unsupported = grounding.support < options.threshold
    value = float(unsupported) if options.as_ == "rate" else grounding.support
    if not grounding.states:
        return measured(value, "grounded", "it states nothing")
    first = grounding.first_unsupported(options.threshold)
    if unsupported and first is not None:
        return measured(value, "unsupported", reason_of(first))
    return measured(value, "grounded")


def _question(sample: Sample, sources: Sequence[str], variable: str) -> str | None:
    """What was asked, without the sources; None where the variable is not there."""
    if variable:
        value = sample.case.variables.get(variable)
        return value if isinstance(value, str) else None
    asked = sample.prompt_text
    for source in sources:
        asked = asked.replace(source.strip(), " ")
    return asked[-_LONGEST_QUESTION:]


def _particulars(options: Options, folder: Path) -> Particulars:  # noqa: ARG001 - needs no file
    if options.as_ == "rate":
        return Particulars()
    return Particulars(metric="groundedness", kind="score", higher_is_better=True)


EVALUATOR = PlainKind(
    name="groundedness",
    metric="hallucination",
    higher_is_better=False,
    summary="what the answer says stands in the sources of its case",
    options=Options,
    expected=Expected,
    make=_make,
    particulars=_particulars,
)
