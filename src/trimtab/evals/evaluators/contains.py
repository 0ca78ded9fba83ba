"""contains: the answer has certain texts, or does not have them."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable
from trimtab.evals.normal_text import has_phrase, normal_text
from trimtab.evals.options import Text, Texts, listed
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike; what a case expects comes on top."""

    all: Annotated[list[Text], Meta(description="texts that the answer must all have")] = []
    any: Annotated[list[Text], Meta(description="texts of which it must have one at least")] = []
    none: Annotated[list[Text], Meta(description="texts that it must not have")] = []
    case_sensitive: Annotated[bool, Meta(description="tell `A` from `a`")] = False
    normalize: Annotated[
        bool, Meta(description="compare texts as people see them: see How texts are compared")
    ] = True
    whole_words: Annotated[bool, Meta(description="`art` is not in `party`")] = False


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    contains: Annotated[Texts, Meta(description="texts that the answer must all have")] = []
    contains_any: Annotated[
        Texts, Meta(description="texts of which it must have one at least")
    ] = []
    contains_none: Annotated[Texts, Meta(description="texts that it must not have")] = []


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        every = [*options.all, *listed(expected.contains)]
        forbidden = [*options.none, *listed(expected.contains_none)]
        groups = [group for group in (options.any, listed(expected.contains_any)) if group]
        if not (every or forbidden or groups):
            return not_applicable("the case expects no text")
        answer = _Answer(sample.text, options)
        missing = [text for text in every if not answer.has(text)]
        there = [text for text in forbidden if answer.has(text)]
        if missing:
            return measured(0, "missing", f"it does not have {_quoted(missing)}")
        if there:
            return measured(0, "forbidden", f"it has {_quoted(there)}")
        for group in groups:
            if not any(answer.has(text) for text in group):
                return measured(0, "missing", f"it has none of {_quoted(group)}")
        return measured(1)

    return judge


class _Answer:
    def __init__(self, text: str, options: Options) -> None:
        self._options = options
        self._text = self._compared(text)

    def has(self, text: str) -> bool:
        wanted = self._compared(text)
        return has_phrase(self._text, wanted) if self._options.whole_words else wanted in self._text

    def _compared(self, text: str) -> str:
        if self._options.normalize:
            return normal_text(text, fold_case=not self._options.case_sensitive)
        return text if self._options.case_sensitive else text.casefold()


def _quoted(texts: list[str]) -> str:
    return ", ".join(repr(text) for text in texts)


EVALUATOR = PlainKind(
    name="contains",
    metric="accuracy",
    summary="the answer has certain texts, or does not have them",
    options=Options,
    expected=Expected,
    make=_make,
)
