"""Recognises a user who asks the same again, though there was an answer: a regeneration."""

from collections import OrderedDict
from typing import Final

from trimtab.providers.wire.chat_request import ChatRequest
from trimtab.types.clock import Clock
from trimtab.types.identity import Caller

__all__ = ["Repeats"]

_REMEMBERED_S: Final = 3_600.0
_MOST: Final = 10_000


class Repeats:
    """Remembers by a hash of 64 bits who had an answer to which messages, for an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered: OrderedDict[int, float] = OrderedDict()

    @staticmethod
    def mark_of(caller: Caller, request: ChatRequest) -> int:
        """What to remember a request by; 0 where nobody says who asks."""
        if not (caller.user or caller.session):
            return 0
        return hash((caller.key_id, caller.user, caller.session, bytes(request.messages)))

    def is_repeat(self, mark: int) -> bool:
        """Whether this user had an answer to this within the last hour."""
        answered_s = self._answered.get(mark) if mark else None
        return answered_s is not None and self._clock.monotonic_s() - answered_s < _REMEMBERED_S

    def answered(self, mark: int) -> None:
        """Remember it."""
        if not mark:
            return
        self._answered[mark] = self._clock.monotonic_s()
        self._answered.move_to_end(mark)
        if len(self._answered) > _MOST:
            self._answered.popitem(last=False)
