"""Usage in OpenAI's responses.

Source: OpenAI API reference, "The response object" and "Streaming events". `input_tokens` includes
what was cached and `output_tokens` what was reasoned. In a stream only the last event tells usage:
`response.completed`, `response.incomplete` or `response.failed`.
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
    nanousd_of,
)

__all__ = ["ResponsesUsage", "read_usage"]

_LAST = frozenset(("response.completed", "response.incomplete", "response.failed"))
_OVER = frozenset(("completed", "incomplete", "failed", "cancelled"))
_TICKS_PER_USD = 10_000_000_000  # xAI API reference, "Cost tracking"


def read_usage(body: bytes) -> Reading | None:
    """What a whole answer says; None if it is an error or no response."""
    response = decode_object(body)
    if response is None or not ("output" in response or response.get("object") == "response"):
        return None
    return _reading(response)


class ResponsesUsage:
    """Reads a stream; feed it the data of each event."""

    def __init__(self) -> None:
        self._response: dict[str, Any] | None = None

    def feed(self, data: bytes) -> None:
        """Take the data of one event."""
        event = decode_object(data) or {}
        response = as_object(event.get("response"))
        if response:
            # Events on the way repeat the response as it began; a usage in them is no bill.
            last = as_text(event.get("type")) in _LAST
            self._response = response if last else response | {"usage": None}

    @property
    def reading(self) -> Reading | None:
        """What is known by now; None while no response has been seen."""
        return None if self._response is None else _reading(self._response)


def _reading(response: dict[str, Any]) -> Reading:
    wire = as_object(response.get("usage"))
    inputs = as_object(wire.get("input_tokens_details"))
    outputs = as_object(wire.get("output_tokens_details"))
    tally = Tally()
    count = tally.count
    usage, unreported = tally.settled(
        {
            "input_tokens": count("input_tokens", wire.get("input_tokens")),
            "cache_read_tokens": count("cache_read_tokens", inputs.get("cached_tokens")),
            "cache_write_tokens": count("cache_write_tokens", inputs.get("cache_write_tokens")),
            "output_tokens": count("output_tokens", wire.get("output_tokens")),
            "reasoning_tokens": count("reasoning_tokens", outputs.get("reasoning_tokens")),
        }
    )
    status = as_word(response.get("status"))
    return Reading(
        usage=usage,
        unreported=unreported,
        final=status in _OVER,
        served_model=as_text(response.get("model")),
        service_tier=as_word(response.get("service_tier")),
        finish_reason=_finish_reason(response, status),
        web_searches=_web_searches(response),
        claimed_nanousd=nanousd_of(wire.get("cost_in_usd_ticks"), per_usd=_TICKS_PER_USD),
    )


def _finish_reason(response: dict[str, Any], status: str) -> str:
    """Why it ended: the reason or code that goes with the status, else the status itself."""
    if status not in _OVER:
        return ""
    reason = as_text(as_object(response.get("incomplete_details")).get("reason"))
    return reason or as_text(as_object(response.get("error")).get("code")) or status


def _web_searches(response: dict[str, Any]) -> int:
    """Searches only: opening a page, or looking for a word in it, is not charged by the call."""
    calls = [
        as_object(item.get("action"))
        for item in as_list(response.get("output"))
        if item.get("type") == "web_search_call"
    ]
    return sum(call.get("type", "search") == "search" for call in calls)
