"""Which language a text is in: by its script, and where languages share one, by a model of each."""

import math
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

from trimtab.evals.languages.letters import WordModel
from trimtab.evals.languages.scripts import ALONE, main_script, script_of

__all__ = ["LANGUAGES", "likelihoods"]

_SHARED: Final[Mapping[str, tuple[str, ...]]] = {
    "latin": (
        "ca", "cs", "da", "de", "en", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "lt", "lv",
        "nl", "no", "pl", "pt", "ro", "sk", "sl", "sv", "tr", "vi",
    ),
    "cyrillic": ("bg", "ru", "sr", "uk"),
    "arabic": ("ar", "fa", "ur"),
    "devanagari": ("hi", "mr"),
}  # fmt: skip

LANGUAGES: Final = frozenset((
    *ALONE.values(), "ja", "zh", *(code for codes in _SHARED.values() for code in codes)
))  # fmt: skip
"""Codes of ISO 639-1 of those that can be told."""

_FENCE: Final = "```"
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)[!-~]+")
_MOST_WORDS: Final = 120
_FEW_HAN: Final = 6
# One word in a thousand is a name or comes from another language: no word says more than that.
_FOREIGN: Final = math.log(0.001)


def likelihoods(text: str) -> dict[str, float]:
    """The languages that a text may be in, each with the logarithm of its likelihood.

    Code in fences and addresses are left out. The differences count: one of 3 says that the text is
    20 times as likely in one language as in the other. Empty where there are too few letters.
    """
    prose = _ADDRESS.sub(" ", " ".join(text.split(_FENCE)[::2]))
    prose = unicodedata.normalize("NFC", prose)
    script = main_script(prose)
    if script in _SHARED:
        words = [word for word in _words(prose) if script_of(word[0]) == script]
        return _sums(_some(words), _models(script))
    if script == "han":
        is_short = sum(script_of(letter) == "han" for letter in prose) < _FEW_HAN
        return {"zh": 0.0, "ja": 0.0} if is_short else {"zh": 0.0}
    if script == "kana":
        return {"ja": 0.0}
    return {ALONE[script]: 0.0} if script else {}


def _sums(words: Sequence[str], models: Mapping[str, WordModel]) -> dict[str, float]:
    sums = dict.fromkeys(models, 0.0)
    for word in words:
        likely = {code: model.log_likelihood(word) for code, model in models.items()}
        elsewhere = max(likely.values()) + _FOREIGN
        for code, value in likely.items():
            sums[code] += max(value, elsewhere)
    return sums


def _words(text: str) -> Iterator[str]:
    """Runs of letters and of the marks on them."""
    for is_word, letters in groupby(text.lower(), _is_part):
        word = "".join(letters)
        if is_word and word[0].isalpha():
            yield word


def _is_part(letter: str) -> bool:
    return letter.isalpha() or unicodedata.category(letter).startswith("M")


def _some(words: Sequence[str]) -> list[str]:
    """Not more than enough, from all over the text."""
    step = max(1, -(-len(words) // _MOST_WORDS))
    return list(words[::step])


@cache
def _models(script: str) -> dict[str, WordModel]:
    return {code: _model(_profiles()[code]) for code in _SHARED[script]}


def _model(profile: Mapping[str, str]) -> WordModel:
    common = list(dict.fromkeys(_words(profile["words"])))
    return WordModel(common, _words(profile["text"]))


@cache
def _profiles() -> dict[str, Any]:
    source = files("trimtab.evals.languages") / "profiles.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
