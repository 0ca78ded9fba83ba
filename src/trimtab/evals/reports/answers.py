"""Two answers to the same case side by side, and the words in which they differ. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from trimtab.evals.result import CaseResult
from trimtab.prompts.diff.words import Span, word_changes

__all__ = ["AnswerPair", "answer_pairs", "most_different"]

_MOST_COMPARED: Final = 60_000  # characters of both; beyond, they are shown as they are


class AnswerPair(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of one repeat.

    Attributes:
        repeat: from 1.
        before, after: spans of both answers; `before` is None without a baseline, and a list is
            empty where there is no answer.
        differs: their words are not the same.
        shortened: characters of the longer one that were left out.
    """

    repeat: int
    before: list[Span] | None
    after: list[Span]
    differs: bool
    shortened: int = 0


def answer_pairs(
    case: CaseResult, *, most_characters: int, context: int | None = None
) -> list[AnswerPair]:
    """The answers of all repeats.

    Args:
        case: with its answers.
        most_characters: of each answer.
        context: so many words that are the same are kept around a change; None keeps all.
    """
    olds = case.baseline.texts if case.baseline is not None else []
    count = max(len(olds), len(case.candidate.texts))
    return [
        _pair(
            number + 1,
            _at(olds, number) if case.baseline is not None else None,
            _at(case.candidate.texts, number),
            most=most_characters,
            context=context,
        )
        for number in range(count)
    ]


def most_different(pairs: Sequence[AnswerPair]) -> AnswerPair:
    """The repeat whose answers have the least in common; the first one if all are the same."""
    return max(pairs, key=_changed)


def _changed(pair: AnswerPair) -> int:
    if not pair.differs:
        return 0
    spans = [*(pair.before or []), *pair.after]
    is_same = all(span.kind in {"same", "gap"} for span in spans)  # too long, or one is missing
    return sum(len(span.text) for span in spans if is_same or span.kind not in {"same", "gap"})


def _at(texts: Sequence[str], number: int) -> str:
    return texts[number] if number < len(texts) else ""


def _pair(
    repeat: int, before: str | None, after: str, *, most: int, context: int | None
) -> AnswerPair:
    left_out = max(0, max(len(before or ""), len(after)) - most)
    old, new = (before or "")[:most], after[:most]
    if before is None or old == new or not old or not new or len(old) + len(new) > _MOST_COMPARED:
        return AnswerPair(
            repeat=repeat,
            before=None if before is None else _whole(old),
            after=_whole(new),
            differs=before is not None and before != after,
            shortened=left_out,
        )
    spans = word_changes(old, new, context=context)
    return AnswerPair(
        repeat=repeat,
        before=[span for span in spans if span.kind != "added"],
        after=[span for span in spans if span.kind != "removed"],
        differs=True,
        shortened=left_out,
    )


def _whole(text: str) -> list[Span]:
    return [Span("same", text)] if text else []
