"""language: the answer is in the language that is wanted."""

import math
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.languages.identify import LANGUAGES, likelihoods
from trimtab.evals.options import Texts, listed
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_SURE: Final = 3.0  # about 20 to 1

# Written so alike that they cannot be told apart.
_SAME: Final = {
    "bs": ("hr",),
    "in": ("id",),
    "iw": ("he",),
    "ms": ("id",),
    "nb": ("no",),
    "nn": ("no",),
    "sr": ("sr", "hr"),  # in Cyrillic letters, and in Latin ones
}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    language: Annotated[
        Texts, Meta(description="code of ISO 639-1, or several that are right; `pt-BR` is `pt`")
    ] = []

    def __post_init__(self) -> None:
        """Refuse what cannot be told."""
        _accepted(listed(self.language))


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    language: Annotated[Texts, Meta(description="the same, in place of the option")] = []

    def __post_init__(self) -> None:
        """Refuse what cannot be told."""
        _accepted(listed(self.language))


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        accepted = _accepted(listed(expected.language) or listed(options.language))
        if not accepted:
            return not_applicable("the case expects no language")
        likely = likelihoods(sample.text)
        if not likely:
            return unmeasured("there is too little text to tell its language")
        inside = max((likely[code] for code in accepted if code in likely), default=-math.inf)
        outside = max((likely[code] for code in likely if code not in accepted), default=-math.inf)
        if abs(inside - outside) < _SURE:
            return unmeasured("the text may be in several languages")
        seems = max(likely, key=lambda code: likely[code])
        if inside > outside:
            return measured(1, seems)
        return measured(0, seems, f"it seems to be {seems!r}")

    return judge


def _accepted(codes: list[str]) -> frozenset[str]:
    """What is told, for what is asked.

    Raises:
        ValueError: a language cannot be told.
    """
    told: set[str] = set()
    for code in codes:
        primary = code.lower().replace("_", "-").partition("-")[0]
        same = _SAME.get(primary, (primary,))
        if not LANGUAGES.issuperset(same):
            known = ", ".join(sorted(LANGUAGES | set(_SAME)))
            raise ValueError(f"language {code[:20]!r} cannot be told. Told are: {known}")
        told.update(same)
    return frozenset(told)


EVALUATOR = PlainKind(
    name="language",
    metric="language",
    summary="the answer is in the language that is wanted",
    options=Options,
    expected=Expected,
    make=_make,
)
