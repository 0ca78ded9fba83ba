"""The client, asynchronous. `face.py` is the same for those who wait."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, overload

from trimtab.client.answer import Answer, Told, answer_of, read_object
from trimtab.client.bundle import Bundle
from trimtab.client.bundles import Bundles, Wanted, named_headers
from trimtab.client.call import ChatCall, RenderedPrompt, rendered
from trimtab.client.failures import AWAY, GatewayUnreachable
from trimtab.client.outage import Outage
from trimtab.client.peer import FallbackPeer, GatewayPeer, Peer
from trimtab.client.settings import Provider, Settings, settings_of
from trimtab.client.shelf import Shelf
from trimtab.client.stream import AsyncAnswerStream
from trimtab.client.transport import Reply
from trimtab.errors import TrimtabError

__all__ = ["FRESH_S", "TIMEOUT_S", "AsyncClient"]

FRESH_S: Final = 5.0
TIMEOUT_S: Final = 300.0

_CHAT: Final = "/chat/completions"


class AsyncClient:
    """Calls of a gateway: chat with prompts, and prompts rendered in this process.

    Belongs to one event loop. Use it as an asynchronous context manager, or call `aclose`.

    Args:
        base_url: of the gateway; None for TRIMTAB_BASE_URL, else http://127.0.0.1:8080/v1.
        api_key: of the application; None for TRIMTAB_API_KEY, "" for none.
        cache_dir: folder in which the last good files of prompts are kept for the day on which the
            gateway is away; None keeps them in memory alone.
        timeout_s: seconds for which nothing may arrive while an answer is waited for.
        fresh_s: seconds for which files of a prompt are used without asking for newer ones.
        fallback: whom chat asks while the gateway is away; None for nobody.

    Raises:
        UsageError: an address is none.
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
        self._build(
            settings_of(
                base_url,
                api_key,
                cache_dir=cache_dir,
                timeout_s=timeout_s,
                fresh_s=fresh_s,
                fallback=fallback,
            )
        )

    def _build(self, settings: Settings) -> None:
        silence_s = settings.timeout_s
        self._gateway = GatewayPeer(settings.base_url, settings.api_key, silence_s=silence_s)
        self._outage = Outage(self._gateway.origin)
        shelf = Shelf(settings.cache_dir, settings.base_url.rstrip("/"))
        self._bundles = Bundles(self._gateway, shelf, fresh_s=settings.fresh_s, outage=self._outage)
        self._fallback: Peer | None = None
        self._fallback_model = ""
        if settings.fallback is not None:
            other = settings.fallback
            self._fallback = FallbackPeer(other.base_url, other.api_key, silence_s=silence_s)
            self._fallback_model = other.model

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, also those of calls under way."""
        await self._gateway.aclose()
        if self._fallback is not None:
            await self._fallback.aclose()

    @overload
    async def chat(
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
    async def chat(
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
    ) -> AsyncAnswerStream: ...

    async def chat(  # noqa: PLR0913 - what a call may say
        self,
        prompt: str | None = None,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        messages: Sequence[Mapping[str, Any]] = (),
        model: str | None = None,
        user: str = "",
        session: str = "",
        stream: bool = False,
        **fields: object,
    ) -> Answer | AsyncAnswerStream:
        """One inference.

        Args:
            prompt: id of a prompt, which the gateway renders; None for messages alone.
            variables: of the prompt, JSON values.
            version: `v12`, `draft` or the first digits of a hash; None for what is released.
            messages: of the caller, `{"role": ..., "content": ...}`.
            model: alias or route; None for the prompt's.
            user: the end user; the same one always gets the same version.
            session: the session.
            stream: whether the text comes piece by piece.
            fields: all others of a chat completion, such as `temperature`; they win over those
                of the prompt.

        Returns:
            The answer, or for a stream an iterator of its text.

        Raises:
            TrimtabError: as the gateway says, by the class that its code stands for.
            GatewayUnreachable: it is away, and there is no fallback or nothing to render.
            AnswerTimeout: nothing arrived for `timeout_s`.
        """
        wanted = None if prompt is None else Wanted.by(prompt, version, user=user, session=session)
        headers = named_headers(user, session)
        call = ChatCall(wanted, variables or {}, messages, model or "", stream, fields)
        outcome = await self._outcome(call, headers)
        if isinstance(outcome, Reply):
            return await self._answer(self._gateway, outcome, Told(outcome.headers), stream=stream)
        try:
            if self._fallback is None or not isinstance(outcome, AWAY):
                raise outcome
            return await self._direct(call, self._fallback, outcome)
        finally:
            del outcome  # an error that holds itself

    async def render(
        self,
        prompt: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
        messages: Sequence[Mapping[str, Any]] = (),
        user: str = "",
        session: str = "",
    ) -> RenderedPrompt:
        """The prompt as the gateway would render it, rendered in this process.

        Raises:
            PromptVariables: the variables do not fit the prompt.
            PromptTooLarge: rendering takes too much work, or gives too long a text.
            TrimtabError: as `prompt`.
        """
        kept = await self._bundles.get(Wanted.by(prompt, version, user=user, session=session))
        return rendered(kept, variables or {}, messages=messages)

    async def prompt(
        self, prompt_id: str, version: str | None = None, *, user: str = "", session: str = ""
    ) -> Bundle:
        """The files of a prompt, as an inference of the same user would get them.

        Raises:
            UnknownPrompt, PromptNotReleased: as the gateway says.
            GatewayUnreachable: it is away, and these files were never fetched.
            GatewayGarbage: what it sends does not have its hash.
        """
        kept = await self._bundles.get(Wanted.by(prompt_id, version, user=user, session=session))
        return kept.bundle

    async def _outcome(self, call: ChatCall, headers: Mapping[str, str]) -> Reply | TrimtabError:
        """What the gateway says; beside it the files are fetched, for the day without it."""
        if self._fallback is None or call.wanted is None:
            return await self._asked(call, headers)
        outcome: Reply | TrimtabError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._bundles.refresh(call.wanted))
                outcome = await self._asked(call, headers)
        except BaseException:
            if isinstance(outcome, Reply):
                outcome.close()
            raise
        return outcome

    async def _asked(self, call: ChatCall, headers: Mapping[str, str]) -> Reply | TrimtabError:
        body = call.gateway_body()
        try:
            reply = await self._gateway.send("POST", _CHAT, headers=headers, body=body)
        except TrimtabError as error:
            if isinstance(error, AWAY):
                self._outage.begin()
            return error
        self._outage.end()
        return reply

    async def _direct(
        self, call: ChatCall, provider: Peer, away: TrimtabError
    ) -> Answer | AsyncAnswerStream:
        kept = self._bundles.last_good(call.wanted) if call.wanted is not None else None
        if kept is None and call.wanted is not None:
            raise GatewayUnreachable(
                f"{away} The fallback cannot help: the files of prompt {call.wanted.prompt[:80]!r} "
                "were never fetched. Give the client a cache_dir, and call prompt() when it starts."
            ) from away
        body = call.fallback_body(kept, self._fallback_model)
        reply = await provider.send("POST", _CHAT, headers={}, body=body)
        version = kept.bundle.version if kept is not None else ""
        told = Told(reply.headers, version, stale=True)
        return await self._answer(provider, reply, told, stream=call.stream)

    async def _answer(
        self, peer: Peer, reply: Reply, told: Told, *, stream: bool
    ) -> Answer | AsyncAnswerStream:
        if stream:
            return AsyncAnswerStream(peer, reply, told)
        return answer_of(read_object(await peer.whole(reply)), told)
