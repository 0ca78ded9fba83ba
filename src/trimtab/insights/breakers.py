"""Which models are left alone at present, because they failed."""

from typing import Literal

import msgspec

from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S

__all__ = ["LeftAlone", "left_alone"]


class LeftAlone(msgspec.Struct, frozen=True, kw_only=True):
    """A model at a provider whose breaker is not closed.

    Attributes:
        state: "open": nobody calls it. "half-open": the next call decides, or one under way does.
        failures_in_a_row: calls that failed since the last that did not.
        for_s: seconds since it was last closed; None where that is not known.
        probe_in_s: seconds until a call is let through; 0 when one would be now.
    """

    provider: str
    model: str
    state: Literal["open", "half-open"]
    failures_in_a_row: int
    for_s: int | None
    probe_in_s: int

    @property
    def words(self) -> str:
        """The whole of it in one sentence."""
        since = "" if self.for_s is None else f" for {_length(self.for_s)}"
        if self.state == "half-open":
            return f"{self.provider}:{self.model} is on trial: not closed{since}, one call decides"
        probe = f"in {_length(self.probe_in_s)}" if self.probe_in_s else "with the next call"
        return f"{self.provider}:{self.model} is left alone: open{since}, next probe {probe}"


def left_alone(reader: Reader, now_ns: int) -> list[LeftAlone]:
    """Breakers that are not closed, by name; times count from `now_ns`, UTC nanoseconds."""
    found = [
        LeftAlone(
            provider=entry.provider,
            model=entry.model,
            state=entry.state,
            failures_in_a_row=entry.failures_in_a_row,
            for_s=None if entry.opened_ns is None else max(now_ns - entry.opened_ns, 0) // NS_PER_S,
            probe_in_s=0 if entry.retry_at_ns is None else _left_s(entry.retry_at_ns - now_ns),
        )
        for entry in reader.breakers()
        if entry.state != "closed"
    ]
    return sorted(found, key=lambda one: (one.provider, one.model))


def _left_s(length_ns: int) -> int:
    """Whole seconds, rounded up: what is a moment away is not there yet."""
    return max(0, -(-length_ns // NS_PER_S))


def _length(seconds: int) -> str:
    for length_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length_s:
            return f"{seconds // length_s} {unit}"
    return f"{seconds} s"
