"""One request from all sides: what the caller heard, what the record says, what providers saw."""

from typing import NamedTuple

from trimtab.store.records import AttemptRecord, Event
from trimtab.testing.calls import Call
from trimtab.testing.scorecard.heard import Heard

__all__ = ["Tale"]


class Tale(NamedTuple):
    """One request.

    Attributes:
        heard: by the caller.
        event: the inference on record.
        attempts: its physical calls on record.
        primary, spare: the calls that the two fault providers saw.
    """

    heard: Heard
    event: Event
    attempts: list[AttemptRecord]
    primary: list[Call]
    spare: list[Call]

    @property
    def took_s(self) -> float:
        """Seconds that the caller waited in all."""
        return self.heard.took_s

    @property
    def by(self) -> str:
        """Which provider served it in the end."""
        return self.attempts[-1].provider

    @property
    def says(self) -> str:
        """How it ended for the caller, in a few words."""
        heard = self.heard
        if not heard.seems_complete:
            said = heard.error or {}
            word = said.get("code") or said.get("type") or "nothing"
            return f"error {word}" + (" in the stream" if heard.status == 200 else "")
        if heard.continued_by:
            return "gone on with by the fallback"
        return "answered by the " + ("fallback" if self.by == "spare" else "first model")
