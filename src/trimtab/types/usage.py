"""Tokens used, in one convention for all providers."""

import msgspec

__all__ = ["NO_USAGE", "Usage"]


class Usage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Tokens of one attempt. Totals *include* their parts, as OpenAI counts.

    Attributes:
        input_tokens: all input, cached parts and audio included.
        cache_read_tokens: input served from the provider's prompt cache.
        cache_write_tokens: input written to it, where the provider charges for that.
        input_audio_tokens: input that was audio.
        output_tokens: all output, reasoning and audio included.
        reasoning_tokens: output that the caller does not see.
        output_audio_tokens: output that was audio.
        cache_read_audio_tokens: the audio among `cache_read_tokens`.
        cache_write_1h_tokens: those among `cache_write_tokens` that the cache keeps for an hour
            rather than five minutes, which Anthropic's models charge more for.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    input_audio_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_audio_tokens: int = 0
    cache_read_audio_tokens: int = 0
    cache_write_1h_tokens: int = 0


NO_USAGE = Usage()
