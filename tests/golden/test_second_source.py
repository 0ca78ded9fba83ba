"""Our readers against the extraction tables of genai-prices, which others wrote and maintain."""

import json

from genai_prices import Usage as ListUsage
from genai_prices.data_snapshot import get_snapshot

from golden.corpus import SHAPES, Shape
from trimtab.types.usage import NO_USAGE, Usage

FLAVORS = {
    "anthropic": ("anthropic", "default"),
    "azure": ("azure", "chat"),
    "bedrock_converse": ("aws", "default"),
    "bedrock_invoke": ("aws", "anthropic"),
    "deepseek": ("deepseek", "chat"),
    "gemini": ("google", "default"),
    "groq": ("groq", "default"),
    "mistral": ("mistral", "default"),
    "moonshot": ("moonshotai", "chat"),
    "openai_chat": ("openai", "chat"),
    "openai_responses": ("openai", "responses"),
    "openrouter": ("openrouter", "chat"),
    "xai": ("x-ai", "chat"),
    "zhipu": ("zhipuai", "chat"),
}
FIELDS = {
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens",
    "output_tokens": "output_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "output_audio_tokens": "output_audio_tokens",
}
# Where the tables see less, or believe what cannot be true. Only ever shrinks.
OTHERWISE = {
    "anthropic/compaction": "iterations are not read",
    "anthropic/compaction_cached": "iterations are not read",
    "anthropic/split_larger_than_total": "the split is believed",
    "anthropic/split_only": "a split without its total is refused",
    "deepseek/old_counters_only": "prompt_cache_hit_tokens is not read",
    "gemini/compatible_hidden_thoughts": "the total is not read",
    "gemini/compatible_plain": "no flavor for it",
    "gemini/counts_as_text": "text is no count",
    "moonshot/cached_read": "cached_tokens is not read",
    "moonshot/tool_call": "cached_tokens is not read",
    "openai_chat/embeddings": "another flavor",
}


def _agrees(shape: Shape) -> bool:
    provider, flavor = FLAVORS[shape.provider]
    flavor = "responses" if shape.wire == "openai_responses" else flavor
    found = next(entry for entry in get_snapshot().providers if entry.id == provider)
    try:
        _, usage = found.extract_usage(json.loads(shape.payloads[0]), api_flavor=flavor)
        return all(
            _count(usage, theirs) == getattr(shape.usage or NO_USAGE, ours)
            for ours, theirs in FIELDS.items()
        )
    except ValueError:
        return False


def _count(usage: ListUsage, name: str) -> int:
    return getattr(usage, name) or 0


def test_both_read_the_same() -> None:
    assert set(FIELDS) == set(Usage.__struct_fields__)
    shapes = [s for s in SHAPES if not s.streamed and s.usage and s.provider in FLAVORS]
    assert {shape.name for shape in shapes if not _agrees(shape)} == set(OTHERWISE)
    assert len(shapes) > 190
