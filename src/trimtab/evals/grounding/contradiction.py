"""Whether the place in the sources that a claim comes from says something else."""

from bisect import bisect_left
from collections.abc import Sequence, Set
from typing import Final

from trimtab.evals.grounding.lexicon import OPPOSITES, REPLIES_NO
from trimtab.evals.grounding.sources import Finding, SourceIndex
from trimtab.evals.grounding.tokens import Token
from trimtab.evals.grounding.words import stem_of

__all__ = ["misbound", "polarity"]

_SCOPE: Final = 4  # tokens after a denial in which it finds what it denies
_NEAR: Final = 4  # tokens between opposites and a word that claim and place share
_ANCHOR: Final = 4  # tokens between a name or number of a claim and the word that it goes with
_FAR: Final = 2  # times nearer that a rival must be
_MOST_PLACES: Final = 8  # of an anchor that are looked at
_WIDEST: Final = 40  # tokens in which a rival is looked for


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, other in OPPOSITES:
        found.setdefault(stem_of(one), set()).add(stem_of(other))
        found.setdefault(stem_of(other), set()).add(stem_of(one))
    return {stem: frozenset(others) for stem, others in found.items()}


_OPPOSITES: Final = _opposites()


def polarity(tokens: Sequence[Token], place: Sequence[Token]) -> float:
    """1 where a claim denies what its place says, or the reverse, or says the opposite; else 0.

    A denial and an opposite cancel each other: `does not open` agrees with `is closed`.

    Args:
        tokens: of the claim.
        place: tokens of the sentence that it comes from.
    """
    if len(tokens) > 1 and tokens[0].text in REPLIES_NO and tokens[1].start - tokens[0].end > 1:
        tokens = tokens[1:]  # `No, ...` answers the question and denies no word of the claim
    said, stands = _denied(tokens), _denied(place)
    claim = {token.concept for token in tokens}
    here = {token.concept for token in place}
    differs = bool(((said - stands) & here) | ((stands - said) & claim))
    elsewhere = bool(said) and not stands and said.isdisjoint(here)
    opposite = _are_opposed(tokens, place)
    return float((differs or (elsewhere and opposite)) != opposite)


def _denied(tokens: Sequence[Token]) -> set[str]:
    """Concepts that a denial is about: the first word after it that says something."""
    found: set[str] = set()
    for at, token in enumerate(tokens):
        if token.denies:
            after = tokens[at + 1 : at + 1 + _SCOPE]
            found.update([other.concept for other in after if other.kind != "small"][:1])
    return found


def _are_opposed(tokens: Sequence[Token], place: Sequence[Token]) -> bool:
    """Whether one has the opposite of a word of the other, beside a word that they share."""
    claim = {token.concept for token in tokens}
    here = {token.concept for token in place}
    for at, token in enumerate(tokens):
        others = _OPPOSITES.get(token.concept)
        if others is None or token.concept in here or others.isdisjoint(here):
            continue
        around = _content_near(tokens, at)
        for where, other in enumerate(place):
            if other.concept in others and other.concept not in claim:
                shared = around & _content_near(place, where)
                if shared or not around:
                    return True
    return False


def _content_near(tokens: Sequence[Token], at: int) -> set[str]:
    near = tokens[max(0, at - _NEAR) : at + _NEAR + 1]
    return {token.concept for token in near if token.kind != "small"} - {tokens[at].concept}


def misbound(found: Sequence[Finding], index: SourceIndex) -> float:
    """Share of names and numbers, by weight, whose word has a nearer rival in the sources.

    `The default is 60` of a source that says `the default is 30 instead of 60`: 60 occurs, but the
    number that stands nearest to `default` is another one.

    Args:
        found: of the claim.
        index: of the sources.
    """
    claim = {finding.token.concept for finding in found}
    total = wrong = 0.0
    for number, finding in enumerate(found):
        if not (finding.token.name or finding.token.kind == "number") or not finding.places:
            continue
        total += finding.token.weight
        anchor = _anchor(finding, found[max(0, number - _ANCHOR) : number + _ANCHOR + 1])
        if anchor is None:
            continue
        if all(_has_rival(finding, at, index, claim=claim) for at in anchor.places[:_MOST_PLACES]):
            wrong += finding.token.weight
    return wrong / total if total else 0.0


def _anchor(finding: Finding, around: Sequence[Finding]) -> Finding | None:
    near = [
        other
        for other in around
        if other.places
        and not other.token.name
        and other.token.kind == "word"
        and abs(other.at - finding.at) <= _ANCHOR
    ]
    return min(near, key=lambda other: abs(other.at - finding.at), default=None)


def _has_rival(finding: Finding, at: int, index: SourceIndex, *, claim: Set[str]) -> bool:
    """Whether another name or number, not of the claim, is nearer to this place of its anchor."""
    reach = min(_distance(at, finding.places) // _FAR, _WIDEST)
    first, end = index.bounds[index.sentence_of[at]]
    return any(
        token.concept not in claim
        and (token.name if finding.token.name else token.kind == "number")
        for token in index.tokens[max(first, at - reach) : min(end, at + reach + 1)]
    )


def _distance(at: int, places: Sequence[int]) -> int:
    where = bisect_left(places, at)
    return min(abs(at - place) for place in places[max(0, where - 1) : where + 1])
