"""A stream on its way from a provider to a caller: passed on as it comes."""

from typing import Final

from trimtab.gateway.outlet import Outlet
from trimtab.providers.wire.chat_name import renamed

__all__ = ["MAX_KEPT_BYTES", "Relay"]

MAX_KEPT_BYTES: Final = 4_000_000  # of a stream, where the project records bodies


class Relay:
    """Belongs to one attempt.

    Args:
        outlet: the caller.
        keep: remember what was passed on.
        new_name: the model's name in the frames, and the one to put in its place.

    Attributes:
        outlet: as given.
        as_it_is: nothing is kept or changed.
    """

    __slots__ = ("_keep", "_kept", "_kept_bytes", "_new_name", "as_it_is", "outlet")

    def __init__(
        self, outlet: Outlet, *, keep: bool, new_name: tuple[bytes, bytes] | None = None
    ) -> None:
        self.outlet = outlet
        self.as_it_is = not keep and new_name is None
        self._keep = keep
        self._new_name = new_name
        self._kept: list[bytes] = []
        self._kept_bytes = 0

    def write(self, data: bytes) -> None:
        """Pass on whole events."""
        if self.as_it_is:
            self.outlet.write(data)
            return
        if self._new_name is not None:
            data = renamed(data, *self._new_name)
        self.outlet.write(data)
        if self._keep:
            self._kept_bytes += len(data)
            if self._kept_bytes <= MAX_KEPT_BYTES:
                self._kept.append(data)

    @property
    def kept(self) -> bytes | None:
        """What was passed on so far; None where it was too much to keep, or was not to be kept."""
        if not self._keep or self._kept_bytes > MAX_KEPT_BYTES:
            return None
        return b"".join(self._kept)
