"""What one inference is served with: an immutable snapshot, swapped whole on a reload."""

from typing import NamedTuple

from trimtab.config.schema import Project, Provider
from trimtab.gateway.pool import Origin, Pool
from trimtab.gateway.slots import Slots
from trimtab.releases.serving import PromptDesk
from trimtab.spend.pricebook import PriceBook

__all__ = ["Serving", "Upstream"]


class Upstream(NamedTuple):
    """A provider, ready to be called.

    Attributes:
        name: its name in the project.
        pool: connections to it.
        slots: how many calls it may have at a time; outlives the project's generations.
        head: request line and headers up to the value of Content-Length.
        limit_field: what it calls the limit on output.
        problem: why it cannot be called, or "".
    """

    name: str
    pool: Pool
    slots: Slots
    head: bytes
    limit_field: str
    problem: str = ""

    @classmethod
    def build(
        cls, provider: Provider, origin: Origin, *, slots: Slots, limit_field: str, problem: str
    ) -> "Upstream":
        """Prepare everything about a call that does not depend on the request."""
        key = provider.key.reveal() if provider.key is not None else ""
        lines = [
            f"POST {origin.prefix}/chat/completions HTTP/1.1",
            f"host: {origin.authority}",
            "content-type: application/json",
            "accept: application/json, text/event-stream",
            "accept-encoding: identity",
            "user-agent: trimtab",
        ]
        if key:
            lines.append(f"authorization: Bearer {key}")
        head = "\r\n".join([*lines, "content-length: "]).encode("latin-1")
        return cls(provider.name, Pool(origin, provider.ca_file), slots, head, limit_field, problem)

    def request(self, body: bytes) -> bytes:
        """The bytes to send for `body`."""
        return b"".join((self.head, str(len(body)).encode(), b"\r\n\r\n", body))


class Serving(NamedTuple):
    """One generation of the project, wired."""

    project: Project
    prices: PriceBook
    upstreams: dict[str, Upstream]
    prompts: PromptDesk

    def close(self) -> None:
        """Close the free connections of this generation; calls under way keep theirs."""
        for upstream in self.upstreams.values():
            upstream.pool.close()
