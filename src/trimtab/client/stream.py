"""A streamed answer."""

from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Final, Self

from typing_extensions import override

from trimtab.client.answer import Answer, Told, answer_of, read_object
from trimtab.client.events import Chunks, EventReader
from trimtab.client.peer import Peer
from trimtab.client.refusal import told_error
from trimtab.client.transport import Broken, Reply
from trimtab.errors import ProviderTruncated, UsageError

__all__ = ["AsyncAnswerStream"]

_DONE: Final = b"[DONE]"


class AsyncAnswerStream(AsyncIterator[str]):
    """The text of an answer, piece by piece: `async for text in stream`, then `stream.answer`.

    Whoever stops before the end calls `aclose`, or uses it as an asynchronous context manager: the
    connection is closed, and the gateway ends the call to the provider.

    Raises:
        TrimtabError: while it is iterated: the stream broke off, or carried an error.
    """

    def __init__(self, peer: Peer, reply: Reply, told: Told) -> None:
        self._peer = peer
        self._reply = reply
        self._told = told
        self._events = EventReader()
        self._chunks = Chunks()
        self._pieces: deque[str] = deque()
        self._done = False
        self._over = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def answer(self) -> Answer:
        """The whole answer.

        Raises:
            UsageError: the stream is not at its end.
        """
        if not self._done:
            raise UsageError(
                "The stream is not at its end. Read it to the end, then ask for `answer`."
            )
        return answer_of(self._chunks.whole, self._told)

    async def aclose(self) -> None:
        """Stop: what is still to come is not wanted. Any number of times."""
        self._over = True
        self._reply.close()

    @override
    async def __anext__(self) -> str:
        while not self._pieces:
            if self._over:
                raise StopAsyncIteration
            try:
                await self._read_on()
            except BaseException:
                await self.aclose()
                raise
        return self._pieces.popleft()

    async def _read_on(self) -> None:
        try:
            data = await self._reply.piece()
        except Broken as broken:
            raise self._peer.failure(broken) from broken
        if data:
            for event in self._events.feed(data):
                self._take(event)
        elif self._peer.lenient and self._chunks.finished:
            self._done = True
        else:
            raise ProviderTruncated("The answer broke off before its end. Try again.")
        if self._done:
            await self._reply.finish()
            self._over = True

    def _take(self, event: bytes) -> None:
        if self._done:
            return
        if event.strip() == _DONE:
            self._done = True
            return
        chunk = read_object(event)
        if isinstance(chunk.get("error"), dict):
            raise told_error(chunk["error"])
        text = self._chunks.add(chunk)
        if text:
            self._pieces.append(text)
