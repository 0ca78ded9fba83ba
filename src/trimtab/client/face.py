"""The client for those who wait: the asynchronous one, on a loop in a thread of its own."""

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar, cast, overload

from typing_extensions import override

from trimtab.client.answer import Answer
from trimtab.client.bundle import Bundle
from trimtab.client.call import RenderedPrompt
from trimtab.client.core import FRESH_S, TIMEOUT_S, AsyncClient
from trimtab.client.settings import Provider
from trimtab.client.stream import AsyncAnswerStream
from trimtab.errors import UsageError

__all__ = ["AnswerStream", "Client"]

_T = TypeVar("_T")
_Chat = Callable[..., Coroutine[Any, Any, Answer | AsyncAnswerStream]]

_JOIN_S: Final = 5.0


class _Loop:
    """An event loop in a thread that begins with the first call: until then a process may fork."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._closed = False

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of `work`. Whoever is interrupted while waiting ends it."""
        try:
            loop = self._started()
        except BaseException:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
        finally:
            del future  # an error would hold itself, and with it the client, until a collection

    def stop(self) -> None:
        """End the thread."""
        with self._starting:
            self._closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():  # where a collection happens to run
            thread.join(_JOIN_S)

    @property
    def is_running(self) -> bool:
        """Whether there is a thread."""
        return self._loop is not None

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._closed:
                raise UsageError("This client is closed. Make another one.")
            if self._loop is not None and self._process != os.getpid():
                raise UsageError(
                    "This client made a call before the process forked, and its thread stayed "
                    "behind. Make one in each process."
                )
            if self._loop is None:
                loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(loop,), name="trimtab-client", daemon=True
                )
                self._thread.start()
                self._process = os.getpid()
                self._loop = loop
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        for task in asyncio.all_tasks(loop):  # calls of other threads, which learn of it so
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


class AnswerStream(Iterator[str]):
    """The text of an answer, piece by piece: `for text in stream`, then `stream.answer`.

    Whoever stops before the end calls `close`, or uses it as a context manager: the connection is
    closed, and the gateway ends the call to the provider.

    Raises:
        TrimtabError: while it is iterated: the stream broke off, or carried an error.
    """

    def __init__(self, loop: _Loop, stream: AsyncAnswerStream) -> None:
        self._loop = loop
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def answer(self) -> Answer:
        """The whole answer.

        Raises:
            UsageError: the stream is not at its end.
        """
        return self._stream.answer

    def close(self) -> None:
        """Stop: what is still to come is not wanted. Any number of times."""
        if self._loop.is_running:
            self._loop.run(self._stream.aclose())

    @override
    def __next__(self) -> str:
        text = self._loop.run(anext_or_none(self._stream))
        if text is None:
            raise StopIteration
        return text


async def anext_or_none(stream: AsyncAnswerStream) -> str | None:
    """The next text; None at the end, since a future cannot carry StopIteration."""
    return await anext(stream, None)


class Client:
    """Calls of a gateway: chat with prompts, and prompts rendered in this process.

    May be shared by threads. Use it as a context manager, or call `close`. Everything else is as
    with `AsyncClient`, whose arguments it has.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        cache_dir: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        fresh_s: float = FRESH_S,
        fallback: Provider | None = None,
    ) -> None:
        self._client = AsyncClient(
            base_url,
            api_key,
            cache_dir=cache_dir,
            timeout_s=timeout_s,
            fresh_s=fresh_s,
            fallback=fallback,
        )
        self._loop = _Loop()
        self._stop = weakref.finalize(self, _Loop.stop, self._loop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections, also those of calls under way, and end the thread."""
        if self._loop.is_running:
            self._loop.run(self._client.aclose())
        self._stop()

    @overload
    def chat(
        self,
        prompt: str | None = None,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        messages: Sequence[Mapping[str, Any]] = (),
        model: str | None = None,
        user: str = "",
        session: str = "",
        stream: Literal[False] = False,
        **fields: object,
    ) -> Answer: ...

    @overload
    def chat(
        self,
        prompt: str | None = None,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        messages: Sequence[Mapping[str, Any]] = (),
        model: str | None = None,
        user: str = "",
        session: str = "",
        stream: Literal[True],
        **fields: object,
    ) -> AnswerStream: ...

    def chat(
        self,
        prompt: str | None = None,
        variables: Mapping[str, Any] | None = None,
        **said: Any,
    ) -> Answer | AnswerStream:
        """One inference; see `AsyncClient.chat`."""
        chat = cast("_Chat", self._client.chat)
        given = self._loop.run(chat(prompt, variables, **said))
        return AnswerStream(self._loop, given) if isinstance(given, AsyncAnswerStream) else given

    def render(
        self,
        prompt: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        messages: Sequence[Mapping[str, Any]] = (),
        user: str = "",
        session: str = "",
    ) -> RenderedPrompt:
        """The prompt as the gateway would render it; see `AsyncClient.render`."""
        return self._loop.run(
            self._client.render(
                prompt,
                variables,
                version=version,
                messages=messages,
                user=user,
                session=session,
            )
        )

    def prompt(
        self, prompt_id: str, version: str | None = None, *, user: str = "", session: str = ""
    ) -> Bundle:
        """The files of a prompt; see `AsyncClient.prompt`."""
        return self._loop.run(self._client.prompt(prompt_id, version, user=user, session=session))
