"""Why a claim is not supported, in a sentence for people."""

from typing import Final

from trimtab.evals.grounding.answer import ClaimSupport, UnsupportedSpan

__all__ = ["reason_of"]

_CLAIM_SHOWN: Final = 160  # characters
_SPANS_SHOWN: Final = 5
_CLEAR: Final = 0.5  # of a sign, from which on it is named

_PROBLEMS: Final = {
    "polarity": "a source says the opposite, or denies it",
    "bound": "the sources have its names and numbers, but with something else",
    "personal": "it tells of the speaker, of whom no source tells",
    "affirms": "it affirms or denies a question that no source speaks of",
    "empty": "it says nothing that could be looked up",
}

_ORDER: Final = {"number": 0, "name": 1, "word": 2}


def reason_of(claim: ClaimSupport) -> str:
    """The claim, and what is wrong with it: parts that no source has, or the weightiest sign.

    Args:
        claim: may quote the answer, so the reason does.
    """
    text = " ".join(claim.claim.text.split())
    shown = text if len(text) <= _CLAIM_SHOWN else f"{text[: _CLAIM_SHOWN - 3]}..."
    return f"{shown!r}: {_problem(claim)}"


def _problem(claim: ClaimSupport) -> str:
    signs = claim.signs
    if signs.polarity < _CLEAR and claim.spans:
        return f"no source has {_listed(claim.spans)}"
    for name, problem in _PROBLEMS.items():
        if getattr(signs, name) >= _CLEAR:
            return problem
    return "its words stand in the sources, but nowhere together"


def _listed(spans: tuple[UnsupportedSpan, ...]) -> str:
    """Numbers first, then names: they are the surest."""
    ordered = sorted(spans, key=lambda span: _ORDER[span.kind])
    texts = list(dict.fromkeys(repr(span.text) for span in ordered))
    more = ", ..." if len(texts) > _SPANS_SHOWN else ""
    return ", ".join(texts[:_SPANS_SHOWN]) + more
