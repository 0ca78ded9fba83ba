"""citations: what the answer cites exists, and says what the sentence says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.grounding.answer import THRESHOLD, ground_answer
from trimtab.evals.grounding.citations import CitedSentence, SourceNames, read_citations
from trimtab.evals.grounding.reasons import reason_of
from trimtab.evals.options import Text
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    first: Annotated[int, Meta(ge=0, description="number of the first source")] = 1
    supported: Annotated[
        bool, Meta(description="the cited sources must support the sentence, not only exist")
    ] = True
    threshold: Annotated[
        float, Meta(gt=0, lt=1, description="support by the cited sources below which it fails")
    ] = THRESHOLD
    required: Annotated[bool, Meta(description="an answer that cites nothing fails")] = False


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    source_ids: Annotated[
        list[Text], Meta(description="by which sources may be cited, in the order of `sources`")
    ] = []


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        sources = sample.case.sources
        if not any(source.strip() for source in sources):
            return not_applicable("the case has no sources")
        if expected.source_ids and len(expected.source_ids) != len(sources):
            return unmeasured("`expected.source_ids` of the case has not one id for each source")
        names = SourceNames(len(sources), options.first, _ids(expected.source_ids), sources)
        cited = read_citations(sample.text, names)
        if not any(one.sources or one.unknown for one in cited):
            if options.required:
                return measured(0, "none", "it cites nothing")
            return not_applicable("the answer cites nothing")
        return _score(cited, sources, options)

    return judge


def _ids(source_ids: Sequence[str]) -> Mapping[str, int]:
    return {source_id.strip("[]() ").lower(): at for at, source_id in enumerate(source_ids)}


def _score(cited: Sequence[CitedSentence], sources: Sequence[str], options: Options) -> Score:
    for sentence in cited:
        if sentence.unknown:
            return measured(0, "no_such_source", f"{sentence.unknown[0]} names no source")
    if not options.supported:
        return measured(1, "exist")
    for sentence in cited:
        texts = [sources[at] for at in sentence.sources]
        if not any(text.strip() for text in texts):
            continue
        grounding = ground_answer(sentence.text, texts)
        if grounding.support < options.threshold:
            first = grounding.first_unsupported(options.threshold)
            reason = f"the cited source does not support {reason_of(first)}" if first else ""
            return measured(0, "unsupported", reason)
    return measured(1, "supported")


EVALUATOR = PlainKind(
    name="citations",
    metric="citations",
    summary="what the answer cites exists, and says what the sentence says",
    options=Options,
    expected=Expected,
    make=_make,
)
