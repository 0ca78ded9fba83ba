"""Which attempt of an inference was served, and what the others were for. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from trimtab.types.records import Cause, Intent, Settle

__all__ = [
    "ANSWERED_AGAIN",
    "LOST",
    "SettledAttempt",
    "calls_of",
    "seen_of",
    "served_of",
    "wasted_nanousd",
]

ANSWERED_AGAIN: Final[tuple[Cause, ...]] = ("cache", "stale")
"""Causes of answers from the response cache: no provider was called."""

LOST: Final = "hedge_lost"
"""Error code of the slower one of two attempts."""


class SettledAttempt(NamedTuple):
    """Both entries of an attempt that is over."""

    intent: Intent
    settle: Settle


def served_of(settled: Sequence[SettledAttempt]) -> SettledAttempt:
    """The final attempt; as long as there is none, the latest.

    Args:
        settled: of one inference, in the order in which they ended; one or more.
    """
    for attempt in reversed(settled):
        if attempt.settle.final:
            return attempt
    return settled[-1]


def calls_of(settled: Sequence[SettledAttempt]) -> list[SettledAttempt]:
    """Those that called a provider."""
    return [attempt for attempt in settled if attempt.intent.cause not in ANSWERED_AGAIN]


def seen_of(settled: Sequence[SettledAttempt]) -> set[int]:
    """Numbers of the served attempt and of those that it went on from.

    Going back from an attempt that continues a broken stream, what was shown is that of the first
    one that is not a continuation itself, and of each continuation between that said anything.
    """
    served = served_of(settled)
    seen = {served.intent.attempt}
    before = [
        attempt
        for attempt in settled
        if attempt.intent.attempt < served.intent.attempt and attempt.settle.error_code != LOST
    ]
    cause = served.intent.cause
    for intent, settle in sorted(before, key=lambda attempt: -attempt.intent.attempt):
        if cause != "continue":
            break
        if intent.cause != "continue" or settle.usage.output_tokens:
            seen.add(intent.attempt)
        cause = intent.cause
    return seen


def wasted_nanousd(settled: Sequence[SettledAttempt]) -> int:
    """Cost of the attempts of which the caller saw nothing."""
    seen = seen_of(settled)
    return sum(settle.cost_nanousd for intent, settle in settled if intent.attempt not in seen)
