"""With what a client is made."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from trimtab.config.environment import environment

__all__ = ["DEFAULT_BASE_URL", "Provider", "Settings", "settings_of"]

DEFAULT_BASE_URL: Final = "http://127.0.0.1:8080/v1"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that answers while the gateway is away. It speaks OpenAI's chat completions.

    Attributes:
        base_url: such as `https://api.openai.com/v1`.
        api_key: sent as a bearer token; "" for none. Never shown.
        model: the provider's own name of a model; aliases of the gateway mean nothing to it.
    """

    base_url: str
    api_key: str = field(default="", repr=False)
    model: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the two faces of the client have in common; see `AsyncClient`."""

    base_url: str
    api_key: str = field(repr=False)
    cache_dir: Path | None
    timeout_s: float
    fresh_s: float
    fallback: Provider | None


def settings_of(base_url: str | None, api_key: str | None, **others: object) -> Settings:
    """Settings; what is None comes from TRIMTAB_BASE_URL and TRIMTAB_API_KEY."""
    variables = environment()
    if base_url is None:
        base_url = variables.get("TRIMTAB_BASE_URL") or DEFAULT_BASE_URL
    if api_key is None:
        api_key = variables.get("TRIMTAB_API_KEY", "")
    return Settings(base_url=base_url, api_key=api_key, **others)  # pyright: ignore[reportArgumentType] - checked where they are given
