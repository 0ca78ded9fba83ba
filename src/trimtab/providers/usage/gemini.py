"""Usage in Google's `generateContent` and `streamGenerateContent`, at AI Studio and at Vertex.

Source: Gemini API reference, "UsageMetadata"; Vertex AI reference, "GenerateContentResponse".
`promptTokenCount` includes the cached content. Three counts stand apart and must be added:
`thoughtsTokenCount` is output beside `candidatesTokenCount`, and `toolUsePromptTokenCount` is input
beside the prompt. The JSON form of protobuf leaves out every count that is 0. In a stream the
counts are cumulative, and most chunks tell only some.
"""

from typing import Any

import msgspec

from trimtab.providers.usage.reading import (
    Reading,
    Tally,
    as_list,
    as_object,
    as_text,
    as_texts,
    as_word,
    decode_object,
)

__all__ = ["GeminiUsage", "read_usage"]

_AUDIO = {
    "input_audio_tokens": ("promptTokensDetails", "toolUsePromptTokensDetails"),
    "cache_read_audio_tokens": ("cacheTokensDetails",),
    "output_audio_tokens": ("candidatesTokensDetails",),
}
_KNOWN = ("usageMetadata", "candidates", "promptFeedback")


def read_usage(body: bytes) -> Reading | None:
    """What a whole answer says; None if it is an error or no answer of this format."""
    stream = GeminiUsage()
    stream.feed(body)
    reading = stream.reading
    return reading and msgspec.structs.replace(reading, final=True)


class GeminiUsage:
    """Reads a stream; feed it the data of each event."""

    def __init__(self) -> None:
        self._seen = False
        self._wire: dict[str, Any] = {}
        self._model = ""
        self._finish = ""
        self._searches = 0

    def feed(self, data: bytes) -> None:
        """Take the data of one event."""
        chunk = decode_object(data)
        if chunk is None or not any(name in chunk for name in _KNOWN):
            return
        self._seen = True
        told = as_object(chunk.get("usageMetadata")).items()
        self._wire |= {name: value for name, value in told if value is not None}
        self._model = as_text(chunk.get("modelVersion")) or self._model
        for candidate in as_list(chunk.get("candidates")):
            self._finish = self._finish or as_text(candidate.get("finishReason"))
            queries = as_object(candidate.get("groundingMetadata")).get("webSearchQueries")
            self._searches += len(as_texts(queries))
        blocked = as_text(as_object(chunk.get("promptFeedback")).get("blockReason"))
        self._finish = self._finish or blocked

    @property
    def reading(self) -> Reading | None:
        """What is known by now; None while no chunk has been seen."""
        if not self._seen:
            return None
        tally = Tally()
        counts = _counts(self._wire, tally)
        if counts["output_tokens"] is None and self._finish and "input_tokens" not in tally.doubted:
            told = counts["input_tokens"] is not None and "output_tokens" not in tally.doubted
            counts["output_tokens"] = 0 if told else None  # left out because it is 0
        usage, unreported = tally.settled(counts)
        tier = self._wire.get("serviceTier") or self._wire.get("trafficType")
        return Reading(
            usage=usage,
            unreported=unreported,
            final=bool(self._finish and usage),
            served_model=self._model,
            service_tier=as_word(tier),
            finish_reason=self._finish,
            web_searches=self._searches,
        )


def _counts(wire: dict[str, Any], tally: Tally) -> dict[str, int | None]:
    prompt = tally.count("input_tokens", wire.get("promptTokenCount"))
    tools = tally.count("input_tokens", wire.get("toolUsePromptTokenCount")) or 0
    shown = tally.count("output_tokens", wire.get("candidatesTokenCount"))
    thoughts = tally.count("reasoning_tokens", wire.get("thoughtsTokenCount"))
    told = shown is not None or thoughts is not None
    counts: dict[str, int | None] = {
        "input_tokens": None if prompt is None else prompt + tools,
        "cache_read_tokens": tally.count("cache_read_tokens", wire.get("cachedContentTokenCount")),
        "output_tokens": (shown or 0) + (thoughts or 0) if told else None,
        "reasoning_tokens": thoughts,
    }
    for field, names in _AUDIO.items():
        entries = [entry for name in names for entry in as_list(wire.get(name))]
        audio = (entry for entry in entries if as_word(entry.get("modality")) == "audio")
        counts[field] = sum(tally.count(field, entry.get("tokenCount")) or 0 for entry in audio)
    return counts
