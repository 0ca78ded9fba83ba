"""Usage in OpenAI's chat completions and in what others made of that format.

Source: OpenAI API reference, "The chat completion object" and "The chat completion chunk object".
`prompt_tokens` includes what was cached and `completion_tokens` what was reasoned. Others differ:

- xAI counts reasoning beside `completion_tokens`, Google's compatible endpoint too (and says so in
  `total_tokens` alone): the total tells which convention holds, see `_by_total`.
- DeepSeek counts cache hits in `prompt_cache_hit_tokens`, Moonshot in `cached_tokens`.
- Streams: OpenAI sends usage in an extra chunk without choices, xAI and Mistral on the finish
  chunk, Zhipu on every chunk (cumulative), Groq below `x_groq`, Moonshot inside the choice.
- OpenRouter and xAI say what they charge: `cost` in dollars, `cost_in_usd_ticks`.
"""

from typing import Any

import msgspec

from trimtab.providers.usage.reading import (
    Reading,
    Tally,
    as_list,
    as_object,
    as_text,
    as_word,
    decode_object,
    nanousd_of,
)

__all__ = ["ChatUsage", "read_usage"]

_DONE = b"[DONE]"
_TICKS_PER_USD = 10_000_000_000  # xAI API reference, "Cost tracking"


def read_usage(body: bytes) -> Reading | None:
    """What a whole answer says; None if it is an error or no chat completion."""
    stream = ChatUsage()
    stream.feed(body)
    reading = stream.reading
    return reading and msgspec.structs.replace(reading, final=True)


class ChatUsage:
    """Reads a stream; feed it the data of each event, the terminator included."""

    def __init__(self) -> None:
        self._seen = False
        self._done = False
        self._usage: dict[str, Any] = {}
        self._model = ""
        self._tier = ""
        self._finishes: dict[int, str] = {}

    def feed(self, data: bytes) -> None:
        """Take the data of one event."""
        if data.strip() == _DONE:
            self._done = True
            return
        chunk = decode_object(data)
        if chunk is None or not ("choices" in chunk or "usage" in chunk):
            return
        self._seen = True
        self._model = as_text(chunk.get("model")) or self._model
        self._tier = as_word(chunk.get("service_tier")) or self._tier
        choices = as_list(chunk.get("choices"))
        # An empty object says nothing, and must not take the place of what was said before.
        self._usage = _usage_of(chunk, choices) or self._usage
        for place, choice in enumerate(choices):
            reason = as_text(choice.get("finish_reason"))
            index = choice.get("index")
            if reason:
                self._finishes[index if isinstance(index, int) else place] = reason

    @property
    def reading(self) -> Reading | None:
        """What is known by now; None while no chunk has been seen."""
        if not self._seen:
            return None
        tally = Tally()
        usage, unreported = tally.settled(_counts(self._usage, tally))
        searches = tally.count("web_searches", self._usage.get("num_sources_used"))
        return Reading(
            usage=usage,
            unreported=unreported,
            final=self._done or bool(self._finishes and usage),
            served_model=self._model,
            service_tier=self._tier,
            finish_reason=self._finishes[min(self._finishes)] if self._finishes else "",
            web_searches=searches or 0,
            claimed_nanousd=_claimed(self._usage),
        )


def _usage_of(chunk: dict[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
    """The usage object of a chunk, wherever the vendor puts it."""
    groq = as_object(chunk.get("x_groq"))
    places = (chunk, groq, *choices)
    found = (as_object(place.get("usage")) for place in places)
    return next(filter(None, found), as_object(None))


def _counts(wire: dict[str, Any], tally: Tally) -> dict[str, int | None]:
    inputs = as_object(wire.get("prompt_tokens_details"))
    outputs = as_object(wire.get("completion_tokens_details"))
    count, first = tally.count, tally.first
    counts: dict[str, int | None] = {
        "input_tokens": count("input_tokens", wire.get("prompt_tokens")),
        "cache_read_tokens": first(
            "cache_read_tokens",
            inputs.get("cached_tokens"),
            wire.get("prompt_cache_hit_tokens"),
            wire.get("cached_tokens"),
        ),
        "cache_write_tokens": count("cache_write_tokens", inputs.get("cache_write_tokens")),
        "input_audio_tokens": count("input_audio_tokens", inputs.get("audio_tokens")),
        "output_tokens": count("output_tokens", wire.get("completion_tokens")),
        "reasoning_tokens": first(
            "reasoning_tokens", outputs.get("reasoning_tokens"), wire.get("reasoning_tokens")
        ),
        "output_audio_tokens": count("output_audio_tokens", outputs.get("audio_tokens")),
    }
    total = Tally().count("", wire.get("total_tokens"))
    return counts if total is None else counts | _by_total(counts, total)


def _by_total(counts: dict[str, int | None], total: int) -> dict[str, int | None]:
    """What the total says of the counts beside it: which are parts, and which one is missing.

    Tokens that are in the total and in neither count are output that is not shown: Google's
    compatible endpoint leaves out its thoughts, which it charges as output.
    """
    tokens_in, tokens_out = counts["input_tokens"], counts["output_tokens"]
    beside = total - (tokens_in or 0) - (tokens_out or 0)
    reasoning = counts["reasoning_tokens"] or 0
    cached = (counts["cache_read_tokens"] or 0) + (counts["cache_write_tokens"] or 0)
    if beside < 0 or (tokens_in is None and tokens_out is None):
        return {}
    if tokens_in is None:
        return {"input_tokens": beside}
    if tokens_out is None:
        return {"output_tokens": beside}
    if beside in {0, reasoning}:
        return {"output_tokens": tokens_out + beside}
    if beside == cached:
        return {"input_tokens": tokens_in + cached}
    return {"output_tokens": tokens_out + beside, "reasoning_tokens": reasoning + beside}


def _claimed(wire: dict[str, Any]) -> int | None:
    if "cost_in_usd_ticks" in wire:
        return nanousd_of(wire["cost_in_usd_ticks"], per_usd=_TICKS_PER_USD)
    return nanousd_of(wire.get("cost"))
