"""How likely a word is in a language: a model of its common words and of its sequences of letters.

Letters follow each other as in a text of the language, smoothed by the method C of Witten and Bell
("The zero-frequency problem", IEEE Transactions on Information Theory 37, 1991): what was never
seen after two letters gets the share that new things had there, shared out as after one letter.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["WordModel"]

_COMMON_SHARE: Final = 0.3  # of the words of a text that are in the list
_LETTERS: Final = 200  # as many are taken to exist
_BORDER: Final = " "


class WordModel:
    """A language.

    Args:
        common: words, the most common first.
        running: words of a text.
    """

    def __init__(self, common: Sequence[str], running: Iterable[str]) -> None:
        self._common = _by_rank(common)
        self._after: Counter[str] = Counter()  # how often something follows a context
        self._seen: Counter[str] = Counter()  # a context, and the letter that follows
        for word in (*running, *common):
            self._count(f"{_BORDER}{word}{_BORDER}")
        self._kinds = Counter(sequence[:-1] for sequence in self._seen)

    def log_likelihood(self, word: str) -> float:
        """The natural logarithm of the probability of a word; lower case, NFC."""
        spelled = 1.0
        framed = f"{_BORDER}{word}{_BORDER}"
        for at in range(1, len(framed)):
            spelled *= self._probability(framed[max(0, at - 2) : at], framed[at])
        common = self._common.get(word, 0.0)
        # Words may be so long that nothing is left of a product.
        spelled = max(spelled, 1e-300)
        return math.log(_COMMON_SHARE * common + (1 - _COMMON_SHARE) * spelled)

    def _count(self, framed: str) -> None:
        for at in range(1, len(framed)):
            for start in range(max(0, at - 2), at + 1):
                self._after[framed[start:at]] += 1
                self._seen[framed[start : at + 1]] += 1

    def _probability(self, context: str, letter: str) -> float:
        shorter = self._probability(context[1:], letter) if context else 1 / _LETTERS
        times, kinds = self._after[context], self._kinds[context]
        if not times:
            return shorter
        return (self._seen[context + letter] + kinds * shorter) / (times + kinds)


def _by_rank(words: Sequence[str]) -> dict[str, float]:
    """Frequencies that fall with the rank, as Zipf and Mandelbrot found that they do."""
    weights = {word: 1 / (rank + 3) for rank, word in reversed(list(enumerate(words)))}
    total = sum(weights.values())
    return {word: weight / total for word, weight in weights.items()}
