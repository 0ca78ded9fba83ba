"""What lint wants to know about the models of a project."""

import ipaddress
from urllib.parse import urlsplit

from trimtab.config.schema import Project, Provider
from trimtab.plugins import PROVIDERS, load_plugin
from trimtab.prompts.lint import ModelFacts
from trimtab.providers.kind import ProviderKind
from trimtab.spend.pricebook import PriceBook

__all__ = ["model_facts"]


def model_facts(project: Project) -> dict[str, ModelFacts]:
    """What serves each alias and route first, its window, and whose it is."""
    book = PriceBook(project)
    return {
        name: ModelFacts(
            ref=str(target.rungs[0].ref),
            context_tokens=book.context_tokens(target.rungs[0]),
            self_hosted=_is_own(project.providers[target.rungs[0].ref.provider]),
        )
        for name, target in project.targets.items()
        if target.rungs
    }


def _is_own(provider: Provider) -> bool:
    """Whether the project itself runs the model: on this machine or in its own network."""
    kind = load_plugin(PROVIDERS, provider.kind, lambda plugin: isinstance(plugin, ProviderKind))
    assert isinstance(kind, ProviderKind)
    if kind.open_engine is not None:
        return True
    host = urlsplit(provider.base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host.endswith((".internal", ".local", ".localhost")) or (
            bool(host) and "." not in host
        )
