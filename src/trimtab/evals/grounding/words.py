"""What a single word means: its stem, its synonyms' common name, and how much it says."""

from functools import lru_cache
from typing import Final, NamedTuple

from trimtab.evals.grounding.lexicon import (
    COMMON,
    DENIALS,
    ENDINGS,
    FRAMING,
    IRREGULAR,
    PLEASANT,
    SAME,
    SMALL_WORDS,
)

__all__ = ["WordFacts", "facts_of", "loosely_same", "stem_of"]

_VOWELS: Final = frozenset("aeiouyäöüáéíóúàèìòùâêîôûœæåø")
_SIBILANT: Final = ("sses", "shes", "ches", "xes", "zes")
_LEAST_SHARED: Final = 5  # letters at the start of two forms of one word
_SHARE_SHARED: Final = 0.6
_LEAST_STEM: Final = 3  # letters, of other languages than English
_FRAMING_WEIGHT: Final = 0.15
_COMMON_WEIGHT: Final = 0.5
_LONG_WEIGHT: Final = 1.2
_LONG: Final = 9  # letters from which on a word is rarer


class WordFacts(NamedTuple):
    """Of a lower-case word in a language.

    Attributes:
        concept: words of one concept are taken for the same.
        small: it is of a closed class.
        denies: it turns a sentence into its opposite.
        weight: how much it says; 0 if small.
    """

    concept: str
    small: bool
    denies: bool
    weight: float


@lru_cache(maxsize=65_536)
def facts_of(word: str, language: str) -> WordFacts:
    """What is known of a lower-case word."""
    denies = word in DENIALS[language]
    if word in SMALL_WORDS[language]:
        return WordFacts(word, small=True, denies=denies, weight=0.0)
    bare = _without_clitic(word)
    if bare in SMALL_WORDS[language]:
        return WordFacts(bare, small=True, denies=denies, weight=0.0)
    stem = stem_of(bare, language)
    weight = _LONG_WEIGHT if len(bare) >= _LONG else 1.0
    if bare in FRAMING or bare in PLEASANT:
        weight = _FRAMING_WEIGHT
    elif stem in _COMMON_STEMS:
        weight = _COMMON_WEIGHT
    return WordFacts(_SAME_STEMS.get(stem, stem), small=False, denies=denies, weight=weight)


def loosely_same(one: str, other: str) -> bool:
    """Whether two stems look like forms of one word: `competit` and `competitor`."""
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= max(_LEAST_SHARED, _SHARE_SHARED * max(len(one), len(other)))


def stem_of(word: str, language: str = "en") -> str:
    """A lower-case word without its endings; only meant to be compared with other stems."""
    if language == "en":
        return _english_stem(IRREGULAR.get(word, word))
    return _other_stem(word)


def _without_clitic(word: str) -> str:
    head, mark, tail = word.partition("'")
    if not mark:
        return word
    return tail if len(tail) > 2 else head  # l'arbre, O'Brien; Taylor's, we're


def _english_stem(word: str) -> str:
    if len(word) < 4:
        return word
    word = _singular(word)
    if word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    if word.endswith("ing") and len(word) > 5 and not _VOWELS.isdisjoint(word[:-3]):
        word = _single(word[:-3])
    elif word.endswith("ed") and len(word) > 4 and not _VOWELS.isdisjoint(word[:-2]):
        word = _single(word[:-2])
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def _singular(word: str) -> str:
    if word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    if word.endswith(_SIBILANT):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _single(word: str) -> str:
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word


def _other_stem(word: str) -> str:
    for size in (3, 2, 1):
        if len(word) - size >= _LEAST_STEM and word[-size:] in ENDINGS:
            return word[:-size]
    return word


_COMMON_STEMS: Final = frozenset(_english_stem(IRREGULAR.get(word, word)) for word in COMMON)


def _same_stems() -> dict[str, str]:
    found: dict[str, str] = {}
    for first, *others in SAME:
        target = _english_stem(IRREGULAR.get(first, first))
        target = found.get(target, target)
        for other in (first, *others):
            found.setdefault(_english_stem(IRREGULAR.get(other, other)), target)
    return found


_SAME_STEMS: Final = _same_stems()
