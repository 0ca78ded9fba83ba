"""What words are to the check of groundedness: the lists of `lexicon.toml`, by name."""

import tomllib
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Final

__all__ = [
    "ABBREVIATIONS",
    "ABOUT",
    "BETWEEN",
    "COMMON",
    "COUNTS",
    "DENIALS",
    "ENDINGS",
    "FRAMING",
    "IRREGULAR",
    "LEAST",
    "MENTAL",
    "MONTHS",
    "MOST",
    "ONES",
    "OPPOSITES",
    "ORDINALS",
    "PERSONAL",
    "PLEASANT",
    "REPLIES_NO",
    "SAME",
    "SMALL_WORDS",
    "TENS",
    "UNCLEAR_MONTHS",
    "YES_NO",
    "language_of",
]

_CLEARLY: Final = 1.1  # times as many small words as of the next language


def _read() -> dict[str, Any]:
    source = files("trimtab.evals.grounding") / "lexicon.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))


_LISTS: Final = _read()


def _words(name: str) -> frozenset[str]:
    return frozenset(_LISTS[name].split())


def _by_language(name: str) -> dict[str, frozenset[str]]:
    return {language: frozenset(words.split()) for language, words in _LISTS[name].items()}


def _lines(name: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line.split()) for line in _LISTS[name].strip().splitlines())


ABBREVIATIONS: Final = _words("abbreviations")
"""After these a point ends no sentence."""

FRAMING: Final = _words("framing")
"""Words that an answer uses of its sources, not of the world."""

PLEASANT: Final = _words("pleasant")
"""Words of courtesy and chat."""

COMMON: Final = _words("common")
"""So frequent that their presence in a source proves little."""

ABOUT: Final = _words("about")
"""Said before a number that is rounded."""

LEAST: Final = frozenset[str](_LISTS["least"])
"""Words, and pairs of words, before a number that the true one exceeds."""

MOST: Final = frozenset[str](_LISTS["most"])
"""Words, and pairs of words, before a number that the true one stays below."""

BETWEEN: Final = _words("between")
"""Between two numbers of one unit."""

PERSONAL: Final = _words("personal")
"""Words of a speaker who tells of itself."""

MENTAL: Final = _words("mental")
"""After those: it only tells what it thinks, knows or can do."""

YES_NO: Final = _words("yes_no")
"""Answers to a question of yes or no."""

REPLIES_NO: Final = _words("replies_no")
"""Those of them that deny the question, and no word of the sentence."""

IRREGULAR: Final[dict[str, str]] = {
    form: plain for pair in _words("irregular") for form, _, plain in [pair.partition(":")]
}
"""English forms that no ending explains, each with its plain form."""

ENDINGS: Final = _words("endings")
"""Endings of inflection in other languages than English."""

SAME: Final = _lines("same")
"""Groups of words that mean nearly the same."""

OPPOSITES: Final = _lines("opposites")
"""Pairs of words: where a source has one and the answer the other, they disagree."""

SMALL_WORDS: Final = _by_language("small")
"""By language: words of closed classes, which carry no claim of their own."""

DENIALS: Final = _by_language("denials")
"""By language: words that turn a sentence into its opposite."""

COUNTS: Final[dict[str, float]] = {
    word: float(value)
    for words in _LISTS["counts"].values()
    for value, word in enumerate(words.split(), start=2)
    if word not in {"six", "once"}  # English has them too, and Spanish eleven means something else
}
"""Two to twelve in other languages than English."""

ONES: Final[list[str]] = _LISTS["ones"].split()
"""English numbers from zero."""

TENS: Final[list[str]] = _LISTS["tens"].split()
"""English tens from twenty."""

ORDINALS: Final[list[str]] = _LISTS["ordinals"].split()
"""English ordinals from first."""

MONTHS: Final[dict[str, int]] = {
    word: number
    for line in _lines("months")
    for number, word in enumerate(line, start=1)
    if word not in {"mar", "mars", "dec", "jan"}
} | {"sep": 9}
"""Name of a month to its number."""

UNCLEAR_MONTHS: Final = _words("unclear_months")
"""Months that are other words as well."""


def language_of(words: Iterable[str], *, least: int = 1) -> str:
    """The language whose small words are the most of these lower-case words.

    Args:
        words: of a text.
        least: number of small words of the language; "" where no language has so many.
    """
    counts = Counter(words)
    best, most = "", 0.0
    for name, small in SMALL_WORDS.items():
        found = sum(counts[word] for word in counts.keys() & small)
        if found >= least and found > most * _CLEARLY:
            best, most = name, found
    return best
