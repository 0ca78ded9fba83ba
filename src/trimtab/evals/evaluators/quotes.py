"""quotes: every quotation in the answer stands in a source, word for word."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable
from trimtab.evals.normal_text import normal_text
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_SHOWN: Final = 160

# Each pair of marks; a quotation ends at the first mark that may end it, and spans no empty line.
_QUOTED: Final = re.compile(
    r"""
      “(?P<a>[^“”]{1,4000}?)”
    | „(?P<b>[^„“”]{1,4000}?)[“”]
    | «(?P<c>[^«»]{1,4000}?)»
    | 「(?P<d>[^「」]{1,4000}?)」
    | (?<![\w"])"(?=\S)(?P<e>[^"]{1,4000}?)(?<=\S)"(?!\w)
    | (?<![\w'])'(?=\w)(?P<g>(?:[^'\n]|(?<=\w)'(?=\w)){1,400}?)'(?!\w)
    | (?<!\w)\u2018(?P<f>[^\u2018]{1,4000}?)\u2019(?!\w)
    """,
    re.VERBOSE,
)
_BLOCK: Final = re.compile(r"^[ \t]{0,3}>[ \t]?(.*)$", re.MULTILINE)
_GAP: Final = re.compile(
    r"\s*(?:\[[^\]]{0,200}\]|\(\s*(?:\.{3,}|…)\s*\)|\.{3,}|…|(?:\. ){2,}\.)\s*"
)
_EDGE: Final = " \t\n.,;:!?'\"-*_\u2013\u2014\u3002\u3001\uff0c"
_WIDE: Final = "\u2e7f"  # signs above it are of scripts without spaces
_WIDE_SIGNS_A_WORD: Final = 2


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    min_words: Annotated[
        int, Meta(ge=1, description="shorter ones are titles or irony, and are not looked at")
    ] = 3
    case_sensitive: Annotated[bool, Meta(description="tell `A` from `a`")] = False
    from_prompt: Annotated[bool, Meta(description="what the prompt says may be quoted as well")] = (
        True
    )
    required: Annotated[bool, Meta(description="an answer that quotes nothing fails")] = False


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing: the sources of the case are what counts."""


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:  # noqa: ARG001 - reads none
        sources = [source for source in sample.case.sources if source.strip()]
        if not sources:
            return not_applicable("the case has no sources")
        quotations = [
            text for text in _quotations(sample.text) if _words(text) >= options.min_words
        ]
        if not quotations:
            if options.required:
                return measured(0, "none", "it quotes nothing")
            return not_applicable("the answer quotes nothing")
        if options.from_prompt:
            sources.append(sample.prompt_text)
        return _score(quotations, [_normal(source, options) for source in sources], options)

    return judge


def _score(quotations: Sequence[str], sources: Sequence[str], options: Options) -> Score:
    for quotation in quotations:
        parts = [_normal(part, options).strip(_EDGE) for part in _GAP.split(quotation)]
        parts = [part for part in parts if part]
        if not any(_has_in_order(source, parts) for source in sources):
            shown = " ".join(quotation.split())
            shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
            return measured(0, "not_in_sources", f"no source has {shown!r}")
    return measured(1, "verbatim")


def _quotations(text: str) -> Iterator[str]:
    """Texts between marks, and blocks of lines that begin with `>`."""
    for match in _QUOTED.finditer(text):
        quotation = match[match.lastgroup or 0]
        if "\n\n" not in quotation:
            yield quotation
    block: list[str] = []
    end = -1
    for match in _BLOCK.finditer(text):
        if match.start() != end + 1 and block:
            yield "\n".join(block)
            block = []
        block.append(match[1])
        end = match.end()
    if block:
        yield "\n".join(block)


def _words(text: str) -> int:
    wide = sum(sign > _WIDE for sign in text)
    return max(len(text.split()), wide // _WIDE_SIGNS_A_WORD)


def _normal(text: str, options: Options) -> str:
    return normal_text(text, fold_case=not options.case_sensitive)


def _has_in_order(source: str, parts: Sequence[str]) -> bool:
    """Whether a source has the parts one after the other, with anything between."""
    at = 0
    for part in parts:
        at = source.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


EVALUATOR = PlainKind(
    name="quotes",
    metric="quotes",
    summary="every quotation in the answer stands in a source, word for word",
    options=Options,
    expected=Expected,
    make=_make,
)
