"""What had come of a stream by the time it was given up: it will be on the bill, so it counts."""

import asyncio
from contextlib import suppress
from typing import Final

from typing_extensions import override

from trimtab.errors import ProviderError, ProviderGarbage
from trimtab.gateway.upstream import AnswerSink, UpstreamConnection
from trimtab.providers.wire.chat_stream import ChatStream

__all__ = ["LastWords"]

_MOST_LOOKS: Final = 4
_MOST_BYTES: Final = 500_000  # thousands of tokens; to read on would hold up everybody else


class LastWords(AnswerSink):
    """Reads what the kernel has of a stream that nobody wants any more, and then closes it.

    Attributes:
        ended: the message ended in good order, so that its connection can serve another call.
    """

    def __init__(self, stream: ChatStream, connection: UpstreamConnection) -> None:
        self._stream = stream
        self._connection = connection
        self.ended = False
        self._left = _MOST_BYTES
        connection.redirect(self)

    async def heard(self) -> None:
        """Return when all that had arrived was read; the connection is closed unless it ended."""
        for _ in range(_MOST_LOOKS):
            frames = self._stream.content_frames
            await _one_look()
            if self._stream.content_frames == frames or not self._connection.is_open:
                break
        self.end()

    def end(self) -> None:
        """Close the connection, unless the message ended."""
        if not self.ended:
            self._connection.abort()

    @override
    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        pass  # it has come, or there would be no stream to read

    @override
    def on_data(self, data: bytes) -> None:
        with suppress(ProviderGarbage):
            self._stream.feed(data)
        self._left -= len(data)
        if self._left < 0:
            self._connection.abort()

    @override
    def on_end(self) -> None:
        self.ended = True

    @override
    def on_broken(self, error: ProviderError) -> None:
        pass


async def _one_look() -> None:
    """Let the event loop read each socket that has something, once."""
    await asyncio.sleep(0)  # those whose turn was before
    await asyncio.sleep(0)
