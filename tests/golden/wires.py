"""The readers by the name of their format, as an adapter would put them together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from trimtab.providers.usage import (
    anthropic_messages,
    bedrock_converse,
    bedrock_invoke,
    gemini,
    openai_chat,
    openai_responses,
)
from trimtab.providers.usage.reading import Reading, UsageStream


class Wire(NamedTuple):
    read: Callable[[bytes], Reading | None]
    stream: Callable[[], UsageStream]


WIRES = {
    "openai_chat": Wire(openai_chat.read_usage, openai_chat.ChatUsage),
    "openai_responses": Wire(openai_responses.read_usage, openai_responses.ResponsesUsage),
    "anthropic_messages": Wire(anthropic_messages.read_usage, anthropic_messages.MessagesUsage),
    "gemini": Wire(gemini.read_usage, gemini.GeminiUsage),
    "bedrock_converse": Wire(bedrock_converse.read_usage, bedrock_converse.ConverseUsage),
    "bedrock_invoke": Wire(
        anthropic_messages.read_usage,
        lambda: bedrock_invoke.InvokeUsage(anthropic_messages.MessagesUsage()),
    ),
}


def read(wire: str, payloads: Sequence[bytes], *, streamed: bool) -> Reading | None:
    """What our reader makes of a recording."""
    if not streamed:
        return WIRES[wire].read(payloads[0])
    stream = WIRES[wire].stream()
    for payload in payloads:
        stream.feed(payload)
    return stream.reading
