"""OpenAI, and every server that speaks its dialect at another base URL."""

from trimtab.providers.kind import ProviderKind

__all__ = ["PROVIDER"]

PROVIDER = ProviderKind(
    name="openai",
    default_base_url="https://api.openai.com/v1",
    output_limit_field="max_completion_tokens",
)
