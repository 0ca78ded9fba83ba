"""Usage in Amazon Bedrock's `InvokeModelWithResponseStream`.

Source: Amazon Bedrock API reference, "PayloadPart", and user guide, "InvokeModel". Each payload
carries one event of the model's own format in base64; whole answers are in that format as they
are. Bedrock adds its own counts to the last event, whatever the model; they exclude cached input
and do not tell for how long it was cached, so the model's own are read first.
"""

import binascii
from typing import Any

from trimtab.providers.usage.reading import (
    Reading,
    Tally,
    UsageStream,
    as_object,
    as_text,
    decode_object,
)

__all__ = ["InvokeUsage"]

_METRICS = "amazon-bedrock-invocationMetrics"


class InvokeUsage:
    """Reads a stream; feed it the payload of each message of the event stream.

    Args:
        inner: reads the model's own format.
    """

    def __init__(self, inner: UsageStream) -> None:
        self._inner = inner
        self._metrics: dict[str, Any] = {}

    def feed(self, data: bytes) -> None:
        """Take the payload of one message, or of one that is unwrapped already."""
        payload = decode_object(data) or {}
        wrapped = as_object(payload.get("chunk")) or payload
        if "bytes" in wrapped:
            event = _unwrapped(as_text(wrapped["bytes"]))
            payload = decode_object(event) or {}
        else:
            event = data
        self._inner.feed(event)
        self._metrics = as_object(payload.get(_METRICS)) or self._metrics

    @property
    def reading(self) -> Reading | None:
        """What the model reports, else what Bedrock counted; None while nothing was read."""
        reading = self._inner.reading
        told = reading is not None and not reading.unreported & {"input_tokens", "output_tokens"}
        return reading if told or not self._metrics else self._counted(reading)

    def _counted(self, reading: Reading | None) -> Reading:
        tally = Tally()
        count = tally.count
        wire = self._metrics
        plain = count("input_tokens", wire.get("inputTokenCount"))
        read = count("cache_read_tokens", wire.get("cacheReadInputTokenCount")) or 0
        written = count("cache_write_tokens", wire.get("cacheWriteInputTokenCount")) or 0
        usage, unreported = tally.settled(
            {
                "input_tokens": None if plain is None else plain + read + written,
                "cache_read_tokens": read,
                "cache_write_tokens": written,
                "output_tokens": count("output_tokens", wire.get("outputTokenCount")),
            }
        )
        known = reading or Reading()
        return Reading(
            usage=usage,
            unreported=unreported,
            served_model=known.served_model,
            finish_reason=known.finish_reason,
        )


def _unwrapped(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return b""
