"""The rule about prompts with nearly the same text."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from trimtab.prompts.lint.lints import Lint
from trimtab.prompts.lint.source import Source

__all__ = ["check_duplicates", "likeness", "shingles_of"]

_WORDS: Final = 4  # in a row
_ALIKE: Final = 0.9

_Shingle = tuple[str, ...]
_Shingles = frozenset[_Shingle]


def check_duplicates(sources: Sequence[Source]) -> Iterator[Lint]:
    """Each prompt that is like one before it, once."""
    texts = [shingles_of(_text(source)) for source in sources]
    counts = Counter(one for shingles in texts for one in shingles)
    holders: dict[_Shingle, list[int]] = {}
    for number, (source, shingles) in enumerate(zip(sources, texts, strict=True)):
        rarest = _rarest(shingles, counts)
        for place in sorted({place for one in rarest for place in holders.get(one, ())}):
            share = likeness(shingles, texts[place])
            if share > _ALIKE:
                yield _lint(source, sources[place], share)
                break
        for one in rarest:
            holders.setdefault(one, []).append(number)


def _rarest(shingles: _Shingles, counts: Mapping[_Shingle, int]) -> list[_Shingle]:
    """So many that two sets that are alike have one of them in common."""
    ordered = sorted(shingles, key=lambda one: (counts[one], one))
    return ordered[: len(ordered) - math.ceil(_ALIKE * len(ordered)) + 1]


def _lint(source: Source, other: Source, share: float) -> Lint:
    same = source.prompt.version_hash == other.prompt.version_hash
    words = "the same as" if same else f"{share:.0%} of the text is that of"
    return source.lint(
        "duplicate",
        source.body_place(1),
        f"{words} {other.prompt.id}",
        remedy="Keep one of them, or put what they share into prompts/_partials",
    )


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


def shingles_of(text: str) -> _Shingles:
    """Each row of words that a text has."""
    words = re.findall(r"\w+", text.lower())
    last = max(1, len(words) - _WORDS + 1)
    return frozenset(tuple(words[at : at + _WORDS]) for at in range(last))
