"""Who wants to know what becomes of an inference, beside its caller."""

from typing import Protocol

from trimtab.types.records import Settle

__all__ = ["Seat"]


class Seat(Protocol):
    """Hears once how an inference ended."""

    def end(self, settle: Settle, *, cost_nanousd: int) -> None:
        """Its last attempt is over; all its attempts together cost so much."""
        ...

    def leave(self) -> None:
        """It is over, or never began. After `end`, and without one."""
        ...
