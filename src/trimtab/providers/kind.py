"""What a provider plugin is: a name, where it is reached, and how it is spoken to."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from trimtab.config.schema import Provider

__all__ = ["Engine", "ProviderKind"]


class Engine(Protocol):
    """A model server that trimtab itself runs beside the gateway."""

    async def start(self) -> str:
        """Start it, wait until it answers, and return its base URL."""
        ...

    async def stop(self) -> None:
        """End it."""
        ...

    async def wait_died(self) -> None:
        """Return when it has ended without being told to."""
        ...


class ProviderKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of provider that speaks OpenAI's chat completions.

    Attributes:
        name: its name in the entry-point group `trimtab.providers`.
        default_base_url: used when the project gives none; "" where it must.
        output_limit_field: what it calls the limit on output, at its default address; other servers
            that speak the dialect know it as `max_tokens`.
        open_engine: makes the engine that serves this provider, or None where there is none to run.
    """

    name: str
    default_base_url: str = ""
    output_limit_field: str = "max_tokens"
    open_engine: Callable[[Provider], Engine] | None = None
