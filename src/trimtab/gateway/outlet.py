"""The caller's side of an inference, as the gateway sees it. The server implements it."""

from collections.abc import Iterable
from typing import Protocol

__all__ = ["Outlet", "OutletListener", "header_lines"]


def header_lines(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as an outlet takes them: each `name: value` and CRLF."""
    return b"".join([b"%b: %b\r\n" % pair for pair in pairs])


class OutletListener(Protocol):
    """Hears what the caller does while an answer is on its way."""

    def on_gone(self) -> None:
        """The caller closed the connection."""
        ...

    def on_paused(self) -> None:
        """The caller does not keep up; stop writing."""
        ...

    def on_resumed(self) -> None:
        """The caller has caught up."""
        ...


class Outlet(Protocol):
    """Where an answer goes: whole with `send`, or `start`, any number of `write`, and `end`.

    Headers come as lines, each `name: value` and CRLF, so that those of a route are written once.
    """

    listener: OutletListener | None

    @property
    def gone(self) -> bool:
        """The caller has closed the connection."""
        ...

    @property
    def started(self) -> bool:
        """A status has been sent; it cannot be changed any more."""
        ...

    def note(self, lines: bytes) -> None:
        """Add headers to whatever answer comes, a good one or an error. Before it is started."""
        ...

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """Send a whole answer."""
        ...

    def fail(self, error: Exception) -> None:
        """There will be no answer, or not the rest of it: tell as much as can still be told."""
        ...

    def start(self, status: int, headers: bytes) -> None:
        """Send the head of an answer of unknown length."""
        ...

    def write(self, data: bytes) -> None:
        """Send a piece of it."""
        ...

    def write_chunk(self, chunk: bytes) -> None:
        """Send a piece of it that is one chunk of HTTP/1.1 already, with its size and CRLFs."""
        ...

    def end(self) -> None:
        """Say that it is complete."""
        ...
