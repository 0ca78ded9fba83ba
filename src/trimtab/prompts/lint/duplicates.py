"""The rule about prompts with nearly the same text."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from trimtab.prompts.lint.lints import Lint
from trimtab.prompts.lint.source import Source

__all__ = ["check_duplicates", "likeness"]

_WORDS: Final = 4  # in a row
_ALIKE: Final = 0.9

_Shingles = frozenset[tuple[str, ...]]


def check_duplicates(sources: Sequence[Source]) -> Iterator[Lint]:
    """Each prompt that is like one before it, once."""
    before: list[tuple[Source, _Shingles]] = []
    for source in sources:
        shingles = _shingles(_text(source))
        for other, others in before:
            same = source.prompt.version_hash == other.prompt.version_hash
            share = 1.0 if same else likeness(shingles, others)
            if share > _ALIKE:
                yield source.lint(
                    "duplicate",
                    source.body_place(1),
                    f"the same as {other.prompt.id}"
                    if same
                    else f"{share:.0%} of the text is that of {other.prompt.id}",
                    remedy="Keep one of them, or put what they share into prompts/_partials",
                )
                break
        before.append((source, shingles))


def likeness(one: _Shingles, other: _Shingles) -> float:
    """The share of rows of words that two texts have in common, from 0 to 1."""
    smaller, larger = sorted((len(one), len(other)))
    if smaller <= _ALIKE * larger:  # it cannot be more than this
        return smaller / larger if larger else 1.0
    shared = len(one & other)
    return shared / (smaller + larger - shared)


def _text(source: Source) -> str:
    pieces = (*source.pieces, *source.partials.values())
    return " ".join(piece.text for piece in pieces)


def _shingles(text: str) -> _Shingles:
    words = re.findall(r"\w+", text.lower())
    last = max(1, len(words) - _WORDS + 1)
    return frozenset(tuple(words[at : at + _WORDS]) for at in range(last))
