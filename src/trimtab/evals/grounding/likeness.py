"""How much two texts say the same, as far as their words tell. Pure."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Final

from trimtab.evals.grounding.contradiction import polarity
from trimtab.evals.grounding.lexicon import language_of
from trimtab.evals.grounding.tokens import Token, tokenise, words_of

__all__ = ["likeness"]

_SMALL_WEIGHT: Final = 0.15  # of a word that says little
_GRAM: Final = 3  # characters
_FLIPPED: Final = 0.5  # factor where one text denies what the other says


def likeness(answer: str, reference: str, *, ignore_extra: bool = False) -> float:
    """From 0, nothing in common, to 1: the mean of two measures, less for what contradicts.

    - weighted F1 over concepts: words without endings and by the common name of synonyms;
    - cosine of the words' character trigrams, each weighted as its word;
    - times the share of numbers that agree, and halved where a denial or an opposite word differs.

    Args:
        answer: a text.
        reference: what it should say.
        ignore_extra: only what the reference has counts, and the answer may say more.
    """
    language = language_of(words_of(reference) + words_of(answer)) or "en"
    said, wanted = tokenise(answer, language), tokenise(reference, language)
    if not said or not wanted:
        return float(answer.split() == reference.split())
    words = _overlap(_concepts(said), _concepts(wanted), ignore_extra=ignore_extra)
    if ignore_extra:
        kept = {token.concept for token in wanted}
        said = [token for token in said if token.concept in kept or token.kind == "number"]
    shapes = words if ignore_extra else _cosine(_grams(said), _grams(wanted))
    agreed = _numbers_agree(said, wanted, ignore_extra=ignore_extra)
    flipped = _FLIPPED if polarity(said, wanted) else 1.0
    return (words + shapes) / 2 * agreed * flipped


def _concepts(tokens: Sequence[Token]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for token in tokens:
        meant = _meant(token)
        weights[meant] = weights.get(meant, 0.0) + (token.weight or _SMALL_WEIGHT)
    return weights


def _meant(token: Token) -> str:
    """The concept; of a quantity its amount, so that 90 minutes are 1.5 hours."""
    if token.unit is None or not token.values:
        return token.concept
    return f"#{token.values[0] * token.unit.factor:.6g} {token.unit.dimension}"


def _overlap(
    said: Mapping[str, float], wanted: Mapping[str, float], *, ignore_extra: bool
) -> float:
    """F1, or recall alone."""
    shared = sum(min(weight, wanted.get(concept, 0.0)) for concept, weight in said.items())
    recall = shared / sum(wanted.values())
    if ignore_extra or shared == 0:
        return recall
    precision = shared / sum(said.values())
    return 2 * precision * recall / (precision + recall)


def _grams(tokens: Sequence[Token]) -> dict[str, float]:
    grams: dict[str, float] = {}
    for token in tokens:
        padded = f" {_meant(token) if token.kind == 'number' else token.text} "
        for at in range(len(padded) - _GRAM + 1):
            gram = padded[at : at + _GRAM]
            grams[gram] = grams.get(gram, 0.0) + (token.weight or _SMALL_WEIGHT)
    return grams


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    shared = sum(weight * other.get(gram, 0.0) for gram, weight in one.items())
    lengths = sqrt(sum(w * w for w in one.values()) * sum(w * w for w in other.values()))
    return shared / lengths if lengths else 0.0


def _numbers_agree(said: Sequence[Token], wanted: Sequence[Token], *, ignore_extra: bool) -> float:
    """Share of the numbers of either text that the other has too; 1 without any."""
    ours, theirs = _values(said), _values(wanted)
    found = sum(any(not one.isdisjoint(other) for other in ours) for one in theirs)
    total = len(theirs)
    if not ignore_extra:
        found += sum(any(not one.isdisjoint(other) for other in theirs) for one in ours)
        total += len(ours)
    return found / total if total else 1.0


def _values(tokens: Sequence[Token]) -> list[frozenset[float]]:
    values: list[frozenset[float]] = []
    for token in tokens:
        if token.kind != "number":
            continue
        factor = token.unit.factor if token.unit else 1.0
        amounts = (round(value * factor, 6) for value in token.values)
        values.append(frozenset((*token.values, *amounts)))
    return values
