"""Whom a client talks to: its gateway, or a provider while the gateway is away."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from trimtab.client.address import parse_base_url
from trimtab.client.failures import AnswerTimeout, GatewayGarbage, GatewayUnreachable
from trimtab.client.refusal import gateway_error, provider_error
from trimtab.client.transport import MOST_BYTES, Broken, Reply, Transport
from trimtab.errors import ProviderGarbage, ProviderTruncated, ProviderUnreachable, TrimtabError

__all__ = ["FallbackPeer", "GatewayPeer", "Peer"]

_MOST_ERROR_BYTES: Final = 1_000_000
_LATE: Final = "Raise timeout_s if answers take that long; the call may still be under way."


class Peer(ABC):
    """A server that is called with a key, and whose failures have names.

    Args:
        base_url: of its API, such as `http://127.0.0.1:8080/v1`.
        api_key: sent as a bearer token; "" for none.
        silence_s: how long nothing may arrive while an answer is waited for.
    """

    lenient = False
    """A stream may end without its terminator, if the answer is finished."""

    def __init__(self, base_url: str, api_key: str, *, silence_s: float) -> None:
        self._transport = Transport(parse_base_url(base_url), silence_s=silence_s)
        self._key = {"authorization": f"Bearer {api_key}"} if api_key else {}

    @property
    def origin(self) -> str:
        """Where it is, for people."""
        return self._transport.address.origin

    async def send(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """The answer to a request, with a status below 400. Whoever gets it closes it.

        Raises:
            TrimtabError: there is none.
        """
        try:
            reply = await self._transport.send(
                method, target, headers={**self._key, **headers}, body=body
            )
            if reply.status < 300 or reply.status == 304:
                return reply
            told = await reply.read(_MOST_ERROR_BYTES)
        except Broken as broken:
            raise self.failure(broken) from broken
        raise self.refusal(reply.status, reply.headers, told)

    async def whole(self, reply: Reply, most: int = MOST_BYTES) -> bytes:
        """The whole body of a reply, which is closed.

        Raises:
            TrimtabError: it does not come.
        """
        try:
            return await reply.read(most)
        except Broken as broken:
            raise self.failure(broken) from broken

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    @abstractmethod
    def failure(self, broken: Broken) -> TrimtabError:
        """The exception for an answer that did not come."""

    @abstractmethod
    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> TrimtabError:
        """The exception for an answer with an error status."""


class GatewayPeer(Peer):
    """The gateway."""

    @override
    def failure(self, broken: Broken) -> TrimtabError:
        where = f"the gateway at {self.origin}"
        match broken.kind:
            case "unreachable":
                return GatewayUnreachable(
                    f"Cannot reach {where}: {broken.problem}. Check that it runs (`trimtab up`) "
                    "and that base_url is right. With fallback=Provider(...) chat goes on without."
                )
            case "timeout":
                return AnswerTimeout(f"No answer of {where}: {broken.problem}. {_LATE}")
            case "garbage":
                return GatewayGarbage(f"No answer of {where}: {broken.problem}. Check base_url.")
            case "truncated":
                return ProviderTruncated(
                    f"The answer of {where} broke off: {broken.problem}. Try again."
                )

    @override
    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> TrimtabError:
        return gateway_error(status, headers, body)


class FallbackPeer(Peer):
    """A provider that is called directly."""

    lenient = True

    @override
    def failure(self, broken: Broken) -> TrimtabError:
        where = f"the fallback provider at {self.origin}"
        match broken.kind:
            case "unreachable":
                return ProviderUnreachable(
                    f"The gateway is away, and so is {where}: {broken.problem}. Check its base_url."
                )
            case "timeout":
                return AnswerTimeout(f"No answer of {where}: {broken.problem}. {_LATE}")
            case "garbage":
                return ProviderGarbage(f"No answer of {where}: {broken.problem}.")
            case "truncated":
                return ProviderTruncated(
                    f"The answer of {where} broke off: {broken.problem}. Try again."
                )

    @override
    def refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> TrimtabError:
        return provider_error(status, headers, body)
