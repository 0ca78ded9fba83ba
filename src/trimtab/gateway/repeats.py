"""Recognises a user who asks the same again, though there was an answer: a regeneration."""

from typing import Final

from trimtab.providers.wire.chat_request import ChatRequest
from trimtab.types.clock import Clock
from trimtab.types.identity import Caller

__all__ = ["Repeats"]

_REMEMBERED_S: Final = 3_600.0
_MOST: Final = 10_000


class Repeats:
    """Remembers by a hash of 64 bits who had an answer to which messages.

    For half an hour at least and an hour at most; the oldest are forgotten together.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun_s = clock.monotonic_s()
        self._answered: set[int] = set()
        self._before: set[int] = set()

    @staticmethod
    def mark_of(caller: Caller, request: ChatRequest) -> int:
        """What to remember a request by; 0 where nobody says who asks."""
        if not (caller.user or caller.session):
            return 0
        return hash((caller.key_id, caller.user, caller.session, bytes(request.messages)))

    def is_repeat(self, mark: int) -> bool:
        """Whether this user had an answer to this not long ago."""
        return mark in self._answered or mark in self._before

    def answered(self, mark: int) -> None:
        """Remember it."""
        if mark:
            self._answered.add(mark)

    def forget_old(self) -> None:
        """Called every few seconds."""
        now_s = self._clock.monotonic_s()
        if len(self._answered) >= _MOST // 2 or now_s - self._begun_s >= _REMEMBERED_S / 2:
            self._before, self._answered = self._answered, set()
            self._begun_s = now_s
