"""The local provider: a real model in a child process, no key needed."""

from trimtab.config.schema import Provider
from trimtab.providers.kind import ProviderKind
from trimtab.providers.local.engine import LocalEngine

__all__ = ["PROVIDER", "LocalEngine"]


def _open_engine(provider: Provider) -> LocalEngine:
    return LocalEngine(
        weights=provider.weights,
        context_tokens=provider.context_tokens,
        parallel=provider.parallel,
        threads=provider.threads,
    )


PROVIDER = ProviderKind(name="local", open_engine=_open_engine)
