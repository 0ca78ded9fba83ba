"""A provider that comes from outside."""

from trimtab.providers.kind import ProviderKind

PROVIDER = ProviderKind(name="acme", default_base_url="http://127.0.0.1:9/v1")
