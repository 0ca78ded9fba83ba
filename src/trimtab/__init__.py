"""trimtab: one process between an application and its model providers.

What an application needs is here and loaded when it is first asked for; nothing inside reads it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trimtab.client import (
        Answer,
        AnswerStream,
        AnswerTimeout,
        AsyncAnswerStream,
        AsyncClient,
        Bundle,
        Client,
        GatewayGarbage,
        GatewayUnreachable,
        Provider,
        RenderedPrompt,
    )

__all__ = [
    "Answer",
    "AnswerStream",
    "AnswerTimeout",
    "AsyncAnswerStream",
    "AsyncClient",
    "Bundle",
    "Client",
    "GatewayGarbage",
    "GatewayUnreachable",
    "Provider",
    "RenderedPrompt",
]

if not TYPE_CHECKING:  # whose readers would take every name for one of ours

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("trimtab.client"), name)
