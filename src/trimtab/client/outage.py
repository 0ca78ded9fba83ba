"""Whether the gateway is away, told once when it goes and once when it is back."""

import logging

__all__ = ["Outage"]

_log = logging.getLogger("trimtab.client")


class Outage:
    """Of one gateway.

    Args:
        origin: where it is.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._away = False

    def begin(self) -> None:
        """It could not be reached."""
        if not self._away:
            _log.warning(
                "the gateway at %s is away; until it answers, prompts are the last good ones",
                self._origin,
            )
        self._away = True

    def end(self) -> None:
        """It has answered."""
        if self._away:
            _log.info("the gateway at %s is back", self._origin)
        self._away = False
