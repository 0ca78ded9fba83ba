"""Whether an answer stands in its sources: claim by claim, and in all."""

from collections.abc import Sequence
from functools import lru_cache
from math import exp
from typing import Final, Literal, NamedTuple
from unicodedata import normalize

from trimtab.evals.grounding.claims import (
    Claim,
    is_abstention,
    is_courtesy,
    is_heading,
    sentences,
    split_claims,
    without_marks,
)
from trimtab.evals.grounding.lexicon import language_of
from trimtab.evals.grounding.sources import Finding, SourceIndex
from trimtab.evals.grounding.support import ASKED, Signs, affirmed, look_up, signs_of
from trimtab.evals.grounding.tokens import Token, tokenise, words_of

__all__ = [
    "BIAS",
    "THRESHOLD",
    "WEIGHTS",
    "ClaimSupport",
    "Grounding",
    "SpanKind",
    "UnsupportedSpan",
    "ground_answer",
    "joined_signs",
]

SpanKind = Literal["number", "name", "word"]

WEIGHTS: Final = Signs(
    new=1.56,
    absent=0.52,
    amount=0.96,
    run=1.86,
    place=1.07,
    pairs=0.26,
    triples=0.2,
    plain=0.7,
    numbers=2.03,
    names=2.03,
    polarity=2.65,
    bound=2.13,
    personal=1.58,
    empty=0.97,
    affirms=0.28,
)
"""What each sign adds to the log odds that the answer is not grounded.

A logistic regression with no weight below 0, so that a further fault never helps an answer; how it
was fitted, and on what, is in docs/evaluators/groundedness.md.
"""

BIAS: Final = -1.89
"""Log odds where nothing is held against an answer."""

THRESHOLD: Final = 0.5
"""Support below which an answer counts as unsupported, by default."""

_MOST: Final = 0.5  # share of the worst claim in a sign of the whole answer; the rest is the mean
_LEAST_WEIGHT: Final = 0.3  # of a claim, in means
_LANGUAGE_SIGNS: Final = 4_000  # characters of sources by which their language is told
_LEAST_WORDS: Final = 5  # small words of a language by which it is told
_ONE_BY_ONE: Final = frozenset(("numbers", "names", "polarity", "bound", "affirms"))


class UnsupportedSpan(NamedTuple):
    """A part of an answer that stands in no source.

    Attributes:
        text: as it stands.
        start, end: in the answer.
        kind: a number, a name or another word.
    """

    text: str
    start: int
    end: int
    kind: SpanKind


class ClaimSupport(NamedTuple):
    """A claim, and how far it is supported.

    Attributes:
        claim: with its place in the answer.
        support: from 0 to 1.
        signs: what is held against it.
        spans: its parts that stand in no source.
        states: it says something of the world; not where it says that something is not known, or
            is a courtesy.
    """

    claim: Claim
    support: float
    signs: Signs
    spans: tuple[UnsupportedSpan, ...] = ()
    states: bool = True


class Grounding(NamedTuple):
    """What is to be said of an answer.

    Attributes:
        support: from 0, not in the sources, to 1, which is that of an answer that states nothing.
        claims: in order.
    """

    support: float
    claims: tuple[ClaimSupport, ...]

    @property
    def states(self) -> bool:
        """Whether any claim says something of the world."""
        return any(claim.states for claim in self.claims)

    def first_unsupported(self, threshold: float = THRESHOLD) -> ClaimSupport | None:
        """The first claim below the threshold; else the weakest. None without claims."""
        below = [claim for claim in self.claims if claim.support < threshold]
        if below:
            return below[0]
        return min(self.claims, key=lambda claim: claim.support, default=None)


def ground_answer(answer: str, sources: Sequence[str], question: str = "") -> Grounding:
    """Looks an answer up in its sources. Linear in the lengths of all.

    Places are those in the answer in Unicode's form NFC.

    Args:
        answer: of any length.
        sources: texts that it may rest on; one at least.
        question: that it answers: what it repeats of it is held against it only by half.
    """
    answer, question = normalize("NFC", answer), normalize("NFC", question)
    texts = tuple(normalize("NFC", source) for source in sources)
    language = _language(texts, answer)
    index = _read_sources(texts, language)
    asked = tokenise(question, language)
    concepts = {token.concept for token in asked if token.kind != "small"}
    claims: list[ClaimSupport] = []
    weights: list[_Weight] = []
    for claim in split_claims(without_marks(answer)):
        tokens = tokenise(claim.text, language)
        if not tokens or _states_nothing(claim.text):
            claims.append(ClaimSupport(claim, 1.0, Signs(), states=False))
            continue
        found = [] if claim.text.endswith("?") else look_up(tokens, index, concepts)
        signs = signs_of(tokens, index, found)
        if not claims:
            signs = signs._replace(affirms=affirmed(tokens, _last_question(question, asked), index))
        claims.append(ClaimSupport(claim, _support(signs), signs, _spans(claim, found)))
        weights.append(_Weight(sum(one.token.weight for one in found), _words(tokens)))
    held = [claim.signs for claim in claims if claim.states]
    support = _support(joined_signs(held, weights)) if held else 1.0
    return Grounding(support, tuple(claims))


class _Weight(NamedTuple):
    """Of a claim in its answer: by what it says, and by its number of different words."""

    content: float
    words: int


def joined_signs(signs: Sequence[Signs], weights: Sequence[tuple[float, int]]) -> Signs:
    """The signs of an answer from those of its claims.

    What one claim suffices for (a wrong number, name, denial) is joined as independent chances;
    everything else is half the worst claim, half the mean by weight.

    Args:
        signs: of claims; one at least.
        weights: of each claim: of what it says, and number of different words.
    """
    contents = [max(weight, _LEAST_WEIGHT) for weight, _ in weights]
    words = [count for _, count in weights]
    values: list[float] = []
    for name, column in zip(Signs._fields, zip(*signs, strict=True), strict=True):
        if name in _ONE_BY_ONE:
            values.append(_any_of(column))
        elif name == "plain":
            values.append(_mean(column, words))
        else:
            values.append(_MOST * max(column) + (1 - _MOST) * _mean(column, contents))
    return Signs(*values)


def _any_of(chances: Sequence[float]) -> float:
    none = 1.0
    for chance in chances:
        none *= 1 - chance
    return 1 - none


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(map(float.__mul__, values, map(float, weights))) / sum(weights)


def _states_nothing(claim: str) -> bool:
    return is_heading(claim) or is_courtesy(claim) or is_abstention(claim)


def _support(signs: Signs) -> float:
    against = BIAS + sum(map(float.__mul__, WEIGHTS, signs))
    return 1 / (1 + exp(against))


def _language(sources: Sequence[str], answer: str) -> str:
    """That of the sources; with the answer where they are too few words to tell."""
    first = sources[0][:_LANGUAGE_SIGNS]
    return _language_told(first) or language_of([*words_of(first), *words_of(answer)]) or "en"


@lru_cache(maxsize=64)
def _language_told(text: str) -> str:
    return language_of(words_of(text), least=_LEAST_WORDS)


@lru_cache(maxsize=8)
def _read_sources(texts: tuple[str, ...], language: str) -> SourceIndex:
    """Repeats of a case, and other setups' answers to it, have the same sources."""
    return SourceIndex(texts, language)


def _last_question(question: str, asked: Sequence[Token]) -> list[Token]:
    """Tokens of the last sentence that ends with a question mark."""
    end = question.rfind("?")
    if end < 0:
        return []
    start = sentences(question[: end + 1])[-1][0]
    return [token for token in asked if start <= token.start < end]


def _words(tokens: Sequence[Token]) -> int:
    return len({token.text for token in tokens})


def _spans(claim: Claim, found: Sequence[Finding]) -> tuple[UnsupportedSpan, ...]:
    spans: list[UnsupportedSpan] = []
    for finding in found:
        token = finding.token
        if finding.support >= ASKED or token.weight < ASKED:
            continue
        kind: SpanKind = "name" if token.name else "word"
        if token.kind == "number":
            kind = "number"
        text = claim.text[token.start : token.end]
        start, end = claim.start + token.start, claim.start + token.end
        spans.append(UnsupportedSpan(text, start, end, kind))
    return tuple(spans)
