"""How far one claim is supported by its sources: what stands there, where, and what contradicts."""

from bisect import bisect_left
from collections.abc import Sequence, Set
from math import exp
from typing import Final, NamedTuple

from trimtab.evals.grounding.contradiction import misbound, polarity
from trimtab.evals.grounding.english import ABOUT
from trimtab.evals.grounding.sources import Finding, SourceIndex
from trimtab.evals.grounding.tokens import Token

__all__ = ["Signs", "look_up", "signs_of"]

_ASKED: Final = 0.5  # support of a word that stands only in the question
_NEIGHBOUR: Final = 0.7  # support by the sentence before or after
_LINKED: Final = 8  # tokens between two words that belong together
_ROUNDED: Final = (0.95, 1.05)
_AT_LEAST: Final = (1.0, 1.25)
_AT_MOST: Final = (0.75, 1.0)
_LEAST: Final = frozenset(
    ("over", "above", "exceeding", "exceeds", "exceeded", "beyond", "über", "more than", "at least")
    + ("greater than", "mehr als", "plus de", "más de", "più di", "mais de", "meer dan")
)
_MOST: Final = frozenset(
    ("under", "below", "nearly", "almost", "unter", "less than", "fewer than", "at most", "up to")
    + ("weniger als", "moins de", "menos de", "meno di", "minder dan")
)
_YEARS: Final = range(1000, 2200)
_PERSONAL: Final = frozenset("i me my mine myself".split())
_YES_NO: Final = frozenset("yes yeah yep no nope ja nein oui non sí si não sim sì nee nej tak nie".split())
_MENTAL: Final = frozenset(
    """
    can could would will may might am m don't do cannot can't couldn't think thought guess know hope
    believe understand found find see mean suggest recommend apologise apologize sorry
    """.split()
)


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
        numbers: that stand in no source.
        names: that stand in no source.
        polarity: the place denies what the claim says, or says the opposite.
        plain: of all its tokens, small ones too, that occur in no source.
        bound: names and numbers that stand with something else there.
        order: names, numbers and other words stand in another order.
        personal: it speaks of the speaker or to the reader, and the sources do not.
        empty: it says nothing that could be looked up.
        affirms: it says yes or no to a question, and of what was asked this much stands in no source.
    """

    new: float
    absent: float
    amount: float
    run: float
    place: float
    pairs: float
    triples: float
    numbers: float
    names: float
    polarity: float
    plain: float
    bound: float
    order: float
    personal: float
    empty: float
    affirms: float = 0.0


def look_up(
    tokens: Sequence[Token], index: SourceIndex, asked: Set[str]
) -> list[Finding]:
    """Each token of a claim that says something.

    Arguments:
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
    if number.unit is None and number.values[0] in _YEARS:
        return (1.0, 1.0)
    before = " ".join(token.text for token in tokens[max(0, at - 2) : at])
    last = before.rsplit(" ", 1)[-1]
    if last in ABOUT:
        return _ROUNDED
    if last in _LEAST or before in _LEAST:
        return _AT_LEAST
    if last in _MOST or before in _MOST:
        return _AT_MOST
    return (1.0, 1.0)


def signs_of(tokens: Sequence[Token], index: SourceIndex, found: Sequence[Finding]) -> Signs:
    """What is held against a claim.

    Arguments:
        tokens: of the claim.
        index: of the sources.
        found: what `look_up` says of the tokens.
    """
    total = sum(finding.token.weight for finding in found)
    if total <= 0:
        return Signs(*[0.0] * 13, _personal(tokens, index), 1.0)
    missing = sum(
        finding.token.weight * (1 - max(finding.support, _ASKED * finding.asked))
        for finding in found
    )
    place, sentence = _best_place(found, index)
    return Signs(
        new=_new(found, missing / total),
        absent=missing / total,
        amount=1 - exp(-missing / 2),
        run=_longest_run(found),
        place=1 - place / total,
        pairs=_unlinked(found),
        triples=_unseen_triples(tokens, index),
        numbers=_missing_of(found, "number"),
        names=_missing_of(found, "name"),
        polarity=_differing(tokens, index, sentence) * place / total,
        plain=_plain(tokens, index),
        bound=misbound(found, index),
        order=_disorder(found, index, sentence),
        personal=_personal(tokens, index),
        empty=0.0,
    )


def affirmed(tokens: Sequence[Token], asked: Sequence[Token], index: SourceIndex) -> float:
    """How much of a question stands in no source, if the claim answers it by yes or no; else 0.

    Arguments:
        tokens: of the first claim.
        asked: of the question's last sentence.
        index: of the sources.
    """
    if not tokens or tokens[0].text not in _YES_NO:
        return 0.0
    found = look_up(asked, index, frozenset())
    total = sum(finding.token.weight for finding in found)
    if total == 0:
        return 0.0
    return sum(finding.token.weight * (1 - finding.support) for finding in found) / total


def _new(found: Sequence[Finding], otherwise: float) -> float:
    new = [finding for finding in found if not finding.asked]
    total = sum(finding.token.weight for finding in new)
    if total < _ASKED:
        return otherwise
    return sum(finding.token.weight * (1 - finding.support) for finding in new) / total


def _longest_run(found: Sequence[Finding]) -> float:
    """An added fact is a row of new words; a paraphrase has them one by one."""
    longest = run = 0.0
    for finding in found:
        run = run + finding.token.weight if finding.support == 0 and not finding.asked else 0.0
        longest = max(longest, run)
    return 1 - exp(-max(0.0, longest - 1) / 2)


def _missing_of(found: Sequence[Finding], what: str) -> float:
    missing = sum(
        (1 - max(finding.support, _ASKED * finding.asked)) * min(1.0, finding.token.weight)
        for finding in found
        if (finding.token.kind == "number" if what == "number" else finding.token.name)
    )
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
        return 0.0, -1
    best = max(own, key=lambda at: (own[at] + near.get(at, 0.0), -at))
    return own[best] + near.get(best, 0.0), best


def _unlinked(found: Sequence[Finding]) -> float:
    """Share of neighbouring words, by weight, that are not near each other in the sources."""
    total = apart = 0.0
    for one, other in zip(found, found[1:], strict=False):
        weight = one.token.weight + other.token.weight
        total += weight
        if not _are_near(one.places, other.places):
            apart += weight
    if total == 0:
        return 1 - found[0].support
    return apart / total


def _are_near(one: list[int], other: list[int]) -> bool:
    for at in one:
        next_at = bisect_left(other, at - _LINKED)
        if next_at < len(other) and other[next_at] <= at + _LINKED:
            return True
    return False


def _unseen_triples(tokens: Sequence[Token], index: SourceIndex) -> float:
    concepts = [token.concept for token in tokens]
    if len(concepts) < 2:
        return 0.0 if concepts and concepts[0] in index.places else 1.0
    if len(concepts) == 2:
        return 0.0 if (concepts[0], concepts[1]) in index.pairs else 1.0
    triples = list(zip(concepts, concepts[1:], concepts[2:], strict=False))
    return sum(triple not in index.triples for triple in triples) / len(triples)


def _disorder(found: Sequence[Finding], index: SourceIndex, sentence: int) -> float:
    """Share of the words found in the place that would have to move to be in its order."""
    if sentence < 0:
        return 0.0
    first, end = index.bounds[sentence]
    order: list[int] = []
    for finding in found:
        here = [at for at in finding.places if first <= at < end]
        if len(here) == 1:
            order.append(here[0])
    if len(order) < 3:
        return 0.0
    tails: list[int] = []
    for at in order:
        where = bisect_left(tails, at)
        tails[where : where + 1] = [at]
    return 1 - len(tails) / len(order)


def _differing(tokens: Sequence[Token], index: SourceIndex, sentence: int) -> float:
    if sentence < 0:
        return 0.0
    first, end = index.bounds[sentence]
    return polarity(tokens, index.tokens[first:end])


def _plain(tokens: Sequence[Token], index: SourceIndex) -> float:
    concepts = {token.concept for token in tokens}
    return sum(concept not in index.places for concept in concepts) / len(concepts)


def _personal(tokens: Sequence[Token], index: SourceIndex) -> float:
    """1 where the speaker tells of itself; half where of what it thinks, knows or can do."""
    most = 0.0
    for at, token in enumerate(tokens):
        if token.text in _PERSONAL and token.concept not in index.places:
            mental = any(other.text in _MENTAL for other in tokens[at + 1 : at + 3])
            most = max(most, 0.5 if mental else 1.0)
    return most
