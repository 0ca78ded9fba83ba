"""What is held against one claim: what stands in no source, where, and what contradicts."""

from bisect import bisect_left
from collections.abc import Sequence, Set
from itertools import pairwise
from math import exp
from typing import Final, NamedTuple

from trimtab.evals.grounding.contradiction import misbound, polarity
from trimtab.evals.grounding.lexicon import ABOUT, LEAST, MENTAL, MOST, PERSONAL, YES_NO
from trimtab.evals.grounding.sources import Finding, SourceIndex
from trimtab.evals.grounding.tokens import Token

__all__ = ["ASKED", "Signs", "affirmed", "look_up", "signs_of"]

ASKED: Final = 0.5
"""Support of a word that stands only in the question."""

_NEIGHBOUR: Final = 0.7  # support by the sentence before or after
_AROUND: Final = 2  # sentences before and after the best place that belong to it
_LEAST_ELSEWHERE: Final = 0.4  # of the support of a word far from there, in very long sources
_NOWHERE: Final = -10  # number of no sentence, and of none around one
_SECOND: Final = 0.4  # of a claim's weight that a second place must have
_LONG: Final = 1_500  # tokens of sources at which a word occurs by chance
_LINKED: Final = 8  # tokens between two words that belong together
_ROUNDED: Final = (0.95, 1.05)
_AT_LEAST: Final = (1.0, 1.25)
_AT_MOST: Final = (0.75, 1.0)
_FIRST_YEAR: Final = 1000
_LAST_YEAR: Final = 2199


class Signs(NamedTuple):
    """What is held against a claim; each from 0, nothing, to 1.

    Attributes:
        new: share of what it adds to the question that stands in no source, by weight.
        absent: share of all it says that stands in no source, by weight.
        amount: how much that is, whatever its share.
        run: the longest row of neighbouring words that stand in no source.
        place: what no single place of the sources has together.
        pairs: neighbouring words that are nowhere near each other in the sources.
        triples: of three tokens in a row that do not occur.
        plain: of all its tokens, small ones too, that occur in no source.
        numbers: that stand in no source.
        names: that stand in no source.
        polarity: the place denies what the claim says, or says the opposite.
        bound: names and numbers that go with something else there.
        personal: the speaker tells of itself.
        empty: it says nothing that could be looked up.
        affirms: it says yes or no to a question, and of what was asked this stands in no source.
    """

    new: float = 0.0
    absent: float = 0.0
    amount: float = 0.0
    run: float = 0.0
    place: float = 0.0
    pairs: float = 0.0
    triples: float = 0.0
    plain: float = 0.0
    numbers: float = 0.0
    names: float = 0.0
    polarity: float = 0.0
    bound: float = 0.0
    personal: float = 0.0
    empty: float = 0.0
    affirms: float = 0.0


def look_up(tokens: Sequence[Token], index: SourceIndex, asked: Set[str]) -> list[Finding]:
    """Each token of a claim that says something.

    Args:
        tokens: of the claim.
        index: of the sources.
        asked: concepts of the question.
    """
    found: list[Finding] = []
    for at, token in enumerate(tokens):
        if token.kind == "small":
            continue
        if token.kind == "number":
            support, places = index.find_number(token, _bounds(tokens, at))
        else:
            support, places = index.find_word(token.concept)
        found.append(Finding(token, at, support, places, token.concept in asked))
    return found


def _bounds(tokens: Sequence[Token], at: int) -> tuple[float, float]:
    """Of the true number, as ratios to the one that is said: `about 50`, `more than 50`."""
    number = tokens[at]
    if number.unit is None and _FIRST_YEAR <= number.values[0] <= _LAST_YEAR:
        return (1.0, 1.0)
    before = " ".join(token.text for token in tokens[max(0, at - 2) : at])
    last = before.rsplit(" ", 1)[-1]
    if last in ABOUT:
        return _ROUNDED
    if last in LEAST or before in LEAST:
        return _AT_LEAST
    if last in MOST or before in MOST:
        return _AT_MOST
    return (1.0, 1.0)


def signs_of(tokens: Sequence[Token], index: SourceIndex, found: Sequence[Finding]) -> Signs:
    """What is held against a claim.

    Args:
        tokens: of the claim; one at least.
        index: of the sources.
        found: what `look_up` says of the tokens; nothing for a claim that states nothing.
    """
    total = sum(finding.token.weight for finding in found)
    plain = _plain(tokens, index)
    personal = _personal(tokens, index)
    if total <= 0:
        return Signs(plain=plain, personal=personal, empty=1.0)
    place, sentence = _best_place(found, index)
    found = _located(found, index, sentence)
    missing = sum(finding.token.weight * (1 - _granted(finding)) for finding in found)
    return Signs(
        new=_new(found, missing / total),
        absent=missing / total,
        amount=1 - exp(-missing / 2),
        run=_longest_run(found),
        place=1 - place / total,
        pairs=_unlinked(found),
        triples=_unseen_triples(tokens, index),
        plain=plain,
        numbers=_missing_of([finding for finding in found if finding.token.kind == "number"]),
        names=_missing_of([finding for finding in found if finding.token.name]),
        polarity=_differing(tokens, index, sentence) * place / total,
        bound=misbound(found, index),
        personal=personal,
    )


def affirmed(tokens: Sequence[Token], asked: Sequence[Token], index: SourceIndex) -> float:
    """How much of a question stands in no source, if the claim answers it by yes or no; else 0.

    Args:
        tokens: of the first claim.
        asked: of the question's last sentence.
        index: of the sources.
    """
    if not tokens or tokens[0].text not in YES_NO:
        return 0.0
    found = look_up(asked, index, frozenset())
    total = sum(finding.token.weight for finding in found)
    if total == 0:
        return 0.0
    return sum(finding.token.weight * (1 - finding.support) for finding in found) / total


def _granted(finding: Finding) -> float:
    return max(finding.support, ASKED) if finding.asked else finding.support


def _new(found: Sequence[Finding], otherwise: float) -> float:
    new = [finding for finding in found if not finding.asked]
    total = sum(finding.token.weight for finding in new)
    if total < ASKED:
        return otherwise
    return sum(finding.token.weight * (1 - finding.support) for finding in new) / total


def _longest_run(found: Sequence[Finding]) -> float:
    """An added fact is a row of new words; a paraphrase has them one by one."""
    longest = run = 0.0
    for finding in found:
        run = run + finding.token.weight if finding.support == 0 and not finding.asked else 0.0
        longest = max(longest, run)
    return 1 - exp(-max(0.0, longest - 1) / 2)


def _missing_of(found: Sequence[Finding]) -> float:
    missing = sum((1 - _granted(one)) * min(1.0, one.token.weight) for one in found)
    return 1 - exp(-missing)


def _best_place(found: Sequence[Finding], index: SourceIndex) -> tuple[float, int]:
    """Weight of what one sentence and its neighbours have, and the number of the sentence."""
    own: dict[int, float] = {}
    near: dict[int, float] = {}
    for finding in found:
        if not finding.places:
            continue
        gain = finding.token.weight * finding.support
        here = {index.sentence_of[at] for at in finding.places}
        for sentence in here:
            own[sentence] = own.get(sentence, 0.0) + gain
        for sentence in {other for at in here for other in (at - 1, at + 1)} - here:
            near[sentence] = near.get(sentence, 0.0) + gain * _NEIGHBOUR
    if not own:
        return 0.0, _NOWHERE
    best = max(own, key=lambda at: (own[at] + near.get(at, 0.0), -at))
    return own[best] + near.get(best, 0.0), best


def _located(found: Sequence[Finding], index: SourceIndex, sentence: int) -> list[Finding]:
    """Words that stand far from the claim's places prove less, the longer the sources are.

    A claim may join two places: the second is where most of what the first lacks stands together.
    """
    far = [not _is_around(finding, index, sentence) for finding in found]
    if not any(far):
        return list(found)
    rest = [finding for finding, is_far in zip(found, far, strict=True) if is_far]
    held, second = _best_place(rest, index)
    if held < _SECOND * sum(finding.token.weight for finding in found):
        second = _NOWHERE
    elsewhere = _LEAST_ELSEWHERE + (1 - _LEAST_ELSEWHERE) * exp(-len(index.tokens) / _LONG)
    return [
        finding._replace(support=finding.support * elsewhere)
        if is_far and not _is_around(finding, index, second)
        else finding
        for finding, is_far in zip(found, far, strict=True)
    ]


def _is_around(finding: Finding, index: SourceIndex, sentence: int) -> bool:
    low, high = sentence - _AROUND, sentence + _AROUND
    return any(low <= index.sentence_of[at] <= high for at in finding.places)


def _unlinked(found: Sequence[Finding]) -> float:
    """Share of neighbouring words, by weight, that are not near each other in the sources."""
    total = apart = 0.0
    for one, other in pairwise(found):
        weight = one.token.weight + other.token.weight
        total += weight
        if not _are_near(one.places, other.places):
            apart += weight
    if total == 0:
        return 1 - found[0].support
    return apart / total


def _are_near(one: Sequence[int], other: Sequence[int]) -> bool:
    for at in one:
        after = bisect_left(other, at - _LINKED)
        if after < len(other) and other[after] <= at + _LINKED:
            return True
    return False


def _unseen_triples(tokens: Sequence[Token], index: SourceIndex) -> float:
    concepts = [token.concept for token in tokens]
    size = min(3, len(concepts))
    rows = [concepts[at : at + size] for at in range(len(concepts) - size + 1)]
    return sum(not index.has_row(row) for row in rows) / len(rows)


def _plain(tokens: Sequence[Token], index: SourceIndex) -> float:
    words = {token.text for token in tokens}
    return sum(word not in index.words for word in words) / len(words)


def _differing(tokens: Sequence[Token], index: SourceIndex, sentence: int) -> float:
    if sentence < 0:
        return 0.0
    first, end = index.bounds[sentence]
    return polarity(tokens, index.tokens[first:end])


def _personal(tokens: Sequence[Token], index: SourceIndex) -> float:
    """1 where the speaker tells of itself; half where of what it thinks, knows or can do."""
    most = 0.0
    for at, token in enumerate(tokens):
        if token.text in PERSONAL and token.concept not in index.places:
            mental = any(other.text in MENTAL for other in tokens[at + 1 : at + 3])
            most = max(most, 0.5 if mental else 1.0)
    return most
