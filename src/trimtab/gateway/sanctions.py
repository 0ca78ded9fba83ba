"""What is done about those who stand out, as long as it lasts."""

from collections.abc import Sequence

from trimtab.types.clock import Clock
from trimtab.types.identity import Caller
from trimtab.types.sanctions import Sanction

__all__ = ["Sanctions"]


class Sanctions:
    """Belongs to the event loop's thread. Each look at the store replaces what was before.

    Attributes:
        any: there are some, perhaps over by now; mostly there are none.
    """

    any = False

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_ns: dict[tuple[str, str, str], int] = {}

    def use(self, sanctions: Sequence[Sanction]) -> None:
        """Obey these, and no others any more."""
        self._until_ns = {(one.action, one.per, one.subject): one.until_ns for one in sanctions}
        self.any = bool(sanctions)

    def downgrades(self, caller: Caller) -> bool:
        """This caller gets the cheaper model."""
        return self._lasts("downgrade", "user", caller.user) or self._lasts(
            "downgrade", "key", caller.key_id
        )

    def throttled(self, caller: Caller) -> list[tuple[str, str]]:
        """Whom few requests a minute are let through of: kind and name."""
        both = (("user", caller.user), ("key", caller.key_id))
        return [one for one in both if self._lasts("throttle", *one)]

    def _lasts(self, action: str, per: str, subject: str) -> bool:
        return self._until_ns.get((action, per, subject), 0) > self._clock.wall_ns()
