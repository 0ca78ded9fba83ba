"""A caller on a bare socket, which knows exactly what it got. No client library hides anything."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httptools
import msgspec

from trimtab.testing.scorecard.heard import Heard
from trimtab.types.clock import SystemClock

__all__ = ["Line", "chat_body", "open_line"]

_PIECE = 1 << 16


def chat_body(model: str, *, streamed: bool, user: str, **more: Any) -> bytes:  # noqa: ANN401
    """A chat request; a stream asks for its usage."""
    fields: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": "What is a trim tab?"}],
        "user": user,
    }
    if streamed:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    return msgspec.json.encode(fields | more)


class Line:
    """One connection with one request on it. Made by `open_line`.

    Attributes:
        heard: what has come of the answer.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = httptools.HttpResponseParser(self)
        self.heard = Heard(SystemClock.monotonic_s())

    async def read(self, until: Callable[[Heard], bool] = lambda _: False) -> Heard:
        """Read to the end of the answer or of the connection, or until `until` says enough."""
        heard = self.heard
        while not (heard.whole or until(heard)):
            try:
                data = await self._reader.read(_PIECE)
            except ConnectionError:
                data = b""
            heard.ended_s = SystemClock.monotonic_s()
            if not data:
                break
            self._parser.feed_data(data)
        return heard

    def leave(self) -> float:
        """Close the connection without a word; returns the monotonic time."""
        self._writer.transport.abort()
        return SystemClock.monotonic_s()

    # ------------------------------------------------------------------ httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        self.heard.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """All of them."""
        self.heard.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self.heard.body += body

    def on_message_complete(self) -> None:
        """The answer is complete."""
        self.heard.whole = True


@asynccontextmanager
async def open_line(
    base_url: str,
    body: bytes | None = None,
    *,
    path: str = "/chat/completions",
    headers: Mapping[str, str] | None = None,
) -> AsyncGenerator[Line]:
    """Post `body` (or get, without one) to `path` below `base_url`, and close at the end.

    Raises:
        OSError: nobody listens.
    """
    url = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        line = Line(reader, writer)
        lines = [
            f"{'GET' if body is None else 'POST'} {url.path}{path} HTTP/1.1",
            f"host: {url.netloc}",
            "content-type: application/json",
            f"content-length: {len(body or b'')}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        yield line
    finally:
        writer.transport.abort()
