"""Sources, read once, so that any number of answers can be looked up in them."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from trimtab.evals.grounding.claims import sentences
from trimtab.evals.grounding.quantities import Unit
from trimtab.evals.grounding.tokens import Token, tokenise
from trimtab.evals.grounding.words import loosely_same

__all__ = ["Finding", "SourceIndex"]

_DATA: Final = ("{", "[")  # what JSON begins with
_FIELD: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")  # in names of fields: OutdoorSeating
_LONGEST: Final = 80  # tokens of a sentence; longer ones are no sentences
_PREFIX: Final = 5  # letters that two forms of a word share at least
_MOST_PLACES: Final = 64  # of a word that are looked at; a word that is everywhere tells no place
_OTHER_UNIT: Final = 0.4  # support of a number by the same number of something else
_SAME_AMOUNT: Final = 0.006  # of an amount in another unit
LOOSE: Final = 0.85
"""Support of a word by another form of it."""


_Found = tuple[float, list[int]]
_Sought = tuple[tuple[float, ...], Unit | None, tuple[float, float]]


class Finding(NamedTuple):
    """A token of a claim, looked up.

    Attributes:
        token: with weight.
        at: which token of the claim it is, from 0.
        support: from 0, absent, to 1.
        places: of it in the sources, in order; at most 64.
        asked: it stands in the question.
    """

    token: Token
    at: int
    support: float
    places: list[int]
    asked: bool


class SourceIndex:
    """What stands where in some texts.

    Attributes:
        tokens: of all texts, one after the other.
        sentence_of: number of the sentence of each token. Between two texts a number is left out.
        bounds: first token, and the one after the last, of each sentence; (0, 0) between texts.
    """

    def __init__(self, texts: Sequence[str], language: str) -> None:
        """Reads the texts. Linear in their length."""
        self.language = language
        self.tokens: list[Token] = []
        self.sentence_of: list[int] = []
        self.bounds: list[tuple[int, int]] = []
        for text in texts:
            self._read(text)
        self.places: dict[str, list[int]] = {}
        self._by_prefix: dict[str, list[str]] = {}
        self._numbers: dict[float, list[int]] = {}
        self._amounts: dict[str, list[tuple[float, int]]] = {}
        for at, token in enumerate(self.tokens):
            self._place(at, token)
        for amounts in self._amounts.values():
            amounts.sort()
        self._sorted = sorted(self._numbers)
        self.words = {token.text for token in self.tokens}
        self._found: dict[str, _Found] = {}
        self._found_numbers: dict[_Sought, _Found] = {}

    def _read(self, text: str) -> None:
        if text.lstrip()[:1] in _DATA:
            text = _FIELD.sub(" ", text)
        tokens = tokenise(text, self.language)
        at = 0
        for _, end in sentences(text):
            first = at
            while at < len(tokens) and tokens[at].start < end:
                at += 1
            for begin in range(first, at, _LONGEST):
                stop = min(at, begin + _LONGEST)
                self.sentence_of.extend([len(self.bounds)] * (stop - begin))
                self.bounds.append((len(self.tokens) + begin, len(self.tokens) + stop))
        self.tokens.extend(tokens[:at])
        self.bounds.append((0, 0))

    def _place(self, at: int, token: Token) -> None:
        places = self.places.get(token.concept)
        if places is not None:
            if len(places) < _MOST_PLACES:
                places.append(at)
        else:
            self.places[token.concept] = [at]
            if token.kind == "word" and len(token.concept) >= _PREFIX:
                self._by_prefix.setdefault(token.concept[:_PREFIX], []).append(token.concept)
        for value in token.values:
            same = self._numbers.setdefault(value, [])
            if len(same) == _MOST_PLACES:
                continue
            same.append(at)
            if token.unit is not None:
                amount = value * token.unit.factor
                self._amounts.setdefault(token.unit.dimension, []).append((amount, at))

    def has_row(self, concepts: Sequence[str]) -> bool:
        """Whether tokens stand in the sources in this order, one right after the other."""
        rarest: Sequence[int] = range(_MOST_PLACES + 1)
        offset = 0
        for at, concept in enumerate(concepts):
            places = self.places.get(concept)
            if places is None:
                return False
            if len(places) < len(rarest):
                rarest, offset = places, at
        return any(self._stands(concepts, at - offset) for at in rarest)

    def _stands(self, concepts: Sequence[str], start: int) -> bool:
        if start < 0 or start + len(concepts) > len(self.tokens):
            return False
        return all(
            self.tokens[at].concept == concept for at, concept in enumerate(concepts, start=start)
        )

    def find_word(self, concept: str) -> _Found:
        """How surely a word stands in the sources, from 0 to 1, and where: at most 64 places."""
        found = self._found.get(concept)
        if found is None:
            found = self._find_word(concept)
            self._found[concept] = found
        return found

    def _find_word(self, concept: str) -> _Found:
        places = self.places.get(concept)
        if places is not None:
            return 1.0, places
        if len(concept) >= _PREFIX:
            for other in self._by_prefix.get(concept[:_PREFIX], ()):
                if loosely_same(concept, other):
                    return LOOSE, self.places[other]
        return 0.0, []

    def find_number(self, token: Token, bounds: tuple[float, float]) -> _Found:
        """How surely a number stands in the sources, and where.

        Args:
            token: of kind `number`.
            bounds: of the true number, as ratios to this one; (1, 1) for a plain number.
        """
        key = (token.values, token.unit, bounds)
        found = self._found_numbers.get(key)
        if found is None:
            found = self._find_number(token, bounds)
            self._found_numbers[key] = found
        return found

    def _find_number(self, token: Token, bounds: tuple[float, float]) -> _Found:
        places = sorted(at for value in token.values for at in self._numbers.get(value, ()))
        if places:
            if token.unit is None:
                return 1.0, places[:_MOST_PLACES]
            alike = [at for at in places if _may_agree(token.unit, self.tokens[at].unit)]
            if alike:
                return 1.0, alike[:_MOST_PLACES]
        converted = self._find_amount(token)
        if converted:
            return 1.0, converted[:_MOST_PLACES]
        low, high = bounds
        if low < high:
            near = self._find_between(token.values[0] * low, token.values[0] * high)
            if near:
                return LOOSE, near[:_MOST_PLACES]
        return (_OTHER_UNIT, places[:_MOST_PLACES]) if places else (0.0, [])

    def _find_amount(self, token: Token) -> list[int]:
        if token.unit is None:
            return []
        amounts = self._amounts.get(token.unit.dimension, [])
        found: list[int] = []
        for value in token.values:
            amount = value * token.unit.factor
            at = bisect_left(amounts, (amount * (1 - _SAME_AMOUNT), -1))
            while at < len(amounts) and amounts[at][0] <= amount * (1 + _SAME_AMOUNT):
                found.append(amounts[at][1])
                at += 1
        return sorted(found)

    def _find_between(self, low: float, high: float) -> list[int]:
        at = bisect_left(self._sorted, low)
        found: list[int] = []
        while at < len(self._sorted) and self._sorted[at] <= high:
            found.extend(self._numbers[self._sorted[at]])
            at += 1
        return sorted(found)


def _may_agree(one: Unit, other: Unit | None) -> bool:
    return other is None or one == other
