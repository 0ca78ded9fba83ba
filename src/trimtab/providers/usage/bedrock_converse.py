"""Usage in Amazon Bedrock's `Converse` and `ConverseStream`.

Source: Amazon Bedrock API reference, "TokenUsage", "CacheDetail", "ConverseStreamMetadataEvent".
`inputTokens` *excludes* what was read from the cache and what was written to it. The answer does
not name the model, except where a prompt router chose it. In a stream the last event, `metadata`,
tells usage.
"""

from typing import Any

from trimtab.providers.usage.reading import (
    Reading,
    Tally,
    as_list,
    as_object,
    as_text,
    as_word,
    decode_object,
)

__all__ = ["ConverseUsage", "read_usage"]

_EVENTS = ("messageStart", "contentBlockDelta", "messageStop", "metadata")
_PAYLOAD = frozenset(("stopReason", "usage", "metrics", "trace", "role", "delta"))


def read_usage(body: bytes) -> Reading | None:
    """What a whole answer says; None if it is an error or no answer of this format."""
    answer = decode_object(body)
    if answer is None or not ("output" in answer or "usage" in answer):
        return None
    return _reading(answer, final=True)


class ConverseUsage:
    """Reads a stream; feed it the payload of each message of the event stream.

    The kind of an event is in a header of its message; payloads are told apart by their fields
    here, and those wrapped in the name of their kind (as the SDKs show them) are read as well.
    """

    def __init__(self) -> None:
        self._told: dict[str, Any] | None = None

    def feed(self, data: bytes) -> None:
        """Take the payload of one message."""
        payload = decode_object(data) or {}
        wrapped = next((payload[kind] for kind in _EVENTS if kind in payload), payload)
        event = as_object(wrapped)
        if not _PAYLOAD.isdisjoint(event):
            told = {name: event[name] for name in event if event[name] is not None}
            if not as_object(told.get("usage")):
                told.pop("usage", None)
            self._told = {**(self._told or {}), **told}

    @property
    def reading(self) -> Reading | None:
        """What is known by now; None while no event has been seen."""
        if self._told is None:
            return None
        return _reading(self._told, final="usage" in self._told)


def _reading(answer: dict[str, Any], *, final: bool) -> Reading:
    wire = as_object(answer.get("usage"))
    tally = Tally()
    count = tally.count
    plain = count("input_tokens", wire.get("inputTokens"))
    read = count("cache_read_tokens", wire.get("cacheReadInputTokens")) or 0
    written, written_1h = _written(wire, tally)
    usage, unreported = tally.settled(
        {
            "input_tokens": None if plain is None else plain + read + written,
            "cache_read_tokens": read,
            "cache_write_tokens": written,
            "cache_write_1h_tokens": written_1h,
            "output_tokens": count("output_tokens", wire.get("outputTokens")),
        }
    )
    router = as_object(as_object(answer.get("trace")).get("promptRouter"))
    return Reading(
        usage=usage,
        unreported=unreported,
        final=final,
        served_model=as_text(router.get("invokedModelId")),
        service_tier=as_word(as_object(answer.get("serviceTier")).get("type")),
        finish_reason=as_text(answer.get("stopReason")),
    )


def _written(wire: dict[str, Any], tally: Tally) -> tuple[int, int]:
    """Tokens written to the cache, and those of them that stay for an hour."""
    total = tally.count("cache_write_tokens", wire.get("cacheWriteInputTokens"))
    by_time = {"5m": 0, "1h": 0}
    for detail in as_list(wire.get("cacheDetails")):
        time = as_text(detail.get("ttl"))
        if time in by_time:
            by_time[time] += tally.count("cache_write_tokens", detail.get("inputTokens")) or 0
    split = sum(by_time.values())
    if total is None:
        return split, by_time["1h"]
    if split > total:
        tally.doubted.add("cache_write_1h_tokens")
        return total, 0
    return total, by_time["1h"]
