"""length: the answer is as long as it should be, in characters, words or tokens."""

import unicodedata
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.plain_kind import Judge, PlainKind
from trimtab.evals.word_count import count_words

__all__ = ["EVALUATOR", "Expected", "Options"]

_Count = Annotated[int, Meta(ge=0)]
_UNITS: Final = ("characters", "words", "tokens")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike: the least and the most, each included."""

    min_characters: Annotated[
        _Count | None, Meta(description="least number of characters, white space included")
    ] = None
    max_characters: Annotated[_Count | None, Meta(description="most")] = None
    min_words: Annotated[_Count | None, Meta(description="least number of words")] = None
    max_words: Annotated[_Count | None, Meta(description="most")] = None
    min_tokens: Annotated[
        _Count | None, Meta(description="least number of tokens, as the provider counted them")
    ] = None
    max_tokens: Annotated[_Count | None, Meta(description="most")] = None

    def __post_init__(self) -> None:
        """Refuse what no answer can be."""
        for unit in _UNITS:
            least, most = _bounds_of(self, unit)
            if least is not None and most is not None and least > most:
                raise ValueError(f"`min_{unit}` is above `max_{unit}`: no answer is so long")


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    length: Annotated[
        Options | None, Meta(description="bounds as in the options, in place of them")
    ] = None


def _bounds_of(bounds: Options, unit: str) -> tuple[int | None, int | None]:
    """The least and the most of a unit."""
    return getattr(bounds, f"min_{unit}"), getattr(bounds, f"max_{unit}")


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        bounds = options if expected.length is None else expected.length
        units = [unit for unit in _UNITS if _bounds_of(bounds, unit) != (None, None)]
        if not units:
            return not_applicable("the case expects no length")
        if "tokens" in units and sample.output_tokens == 0 and sample.text:
            return unmeasured("the provider did not say how many tokens it wrote")
        for unit in units:
            least, most = _bounds_of(bounds, unit)
            count = _count(sample, unit)
            if least is not None and count < least:
                return measured(0, "too_short", f"{count} {unit}, and at least {least} are wanted")
            if most is not None and count > most:
                return measured(0, "too_long", f"{count} {unit}, and at most {most} are wanted")
        return measured(1)

    return judge


def _count(sample: Sample, unit: str) -> int:
    if unit == "tokens":
        return sample.output_tokens
    if unit == "words":
        return count_words(sample.text)
    return len(unicodedata.normalize("NFC", sample.text))


EVALUATOR = PlainKind(
    name="length",
    metric="length",
    summary="the answer is as long as it should be, in characters, words or tokens",
    options=Options,
    expected=Expected,
    make=_make,
)
