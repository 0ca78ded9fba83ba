"""What came of each attempt of an inference, and so of its money. Pure."""

from collections.abc import Sequence
from typing import Final

from trimtab.store.records import Fate
from trimtab.store.sqlite.served import (
    ANSWERED_AGAIN,
    LOST,
    SettledAttempt,
    seen_of,
    served_of,
)
from trimtab.types.records import Cause, Outcome

__all__ = ["ending_of", "fates_of"]

_BROKEN_OFF: Final = "truncated"  # the error code of `ProviderTruncated`
# As OpenAI, Anthropic, Gemini, OpenAI's responses and Mistral call it, in small letters.
_AT_LIMIT: Final = frozenset(
    ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded")
)


def ending_of(cause: Cause, outcome: Outcome, *, finish_reason: str, error_code: str) -> Fate:
    """What came of the attempt by which an inference ended."""
    if cause in ANSWERED_AGAIN:
        return "cached"
    if outcome == "ok":
        return "cut" if finish_reason.lower() in _AT_LIMIT else "answered"
    return _failure(outcome, error_code)


def fates_of(settled: Sequence[SettledAttempt]) -> list[tuple[SettledAttempt, Fate, bool]]:
    """Each attempt with its fate, and whether the inference ended by it.

    Args:
        settled: of one inference, in the order in which they ended; one or more.
    """
    served, seen = served_of(settled), seen_of(settled)
    over = served.settle.final
    return [
        (attempt, _ending(attempt), True)
        if over and attempt is served
        else (attempt, _fate(attempt, settled, seen=seen if over else set()), False)
        for attempt in settled
    ]


def _ending(attempt: SettledAttempt) -> Fate:
    intent, settle = attempt
    return ending_of(
        intent.cause,
        settle.outcome,
        finish_reason=settle.finish_reason,
        error_code=settle.error_code,
    )


def _fate(attempt: SettledAttempt, settled: Sequence[SettledAttempt], *, seen: set[int]) -> Fate:
    """Of an attempt by which the inference did not end."""
    intent, settle = attempt
    if intent.cause in ANSWERED_AGAIN:
        return "cached"
    if settle.error_code == LOST or settle.outcome == "ok":
        return "hedge_lost"
    if intent.attempt in seen:
        return "continued"
    later = [other.intent for other in settled if other.intent.attempt > intent.attempt]
    calls = [other for other in later if other.cause not in ANSWERED_AGAIN]
    if settle.outcome == "cancelled" or not calls:
        return _failure(settle.outcome, settle.error_code)
    follower = min(calls, key=lambda other: (other.cause == "hedge", other.attempt))
    same = (follower.provider, follower.model) == (intent.provider, intent.model)
    return "retried" if follower.cause == "retry" or same else "failed_over"


def _failure(outcome: Outcome, error_code: str) -> Fate:
    if outcome == "cancelled":
        return "cancelled"
    return "broken" if error_code == _BROKEN_OFF else "failed"
