"""Usage in Anthropic's messages, at Anthropic and wherever else they are spoken.

Source: Claude API reference, "Messages", "Streaming messages", "Prompt caching", "Compaction".
`input_tokens` *excludes* what was read from the cache and what was written to it; tokens written
for an hour cost more than those for five minutes. `output_tokens` includes thinking. A summary of
the conversation made on the way (`iterations` of type "compaction") is in no total above it.
"""

from collections import Counter
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

__all__ = ["MessagesUsage", "read_usage"]


def read_usage(body: bytes) -> Reading | None:
    """What a whole answer says; None if it is an error or no message."""
    message = decode_object(body)
    if message is None or not ("content" in message or "usage" in message):
        return None
    return _reading(message, as_object(message.get("usage")), final=True)


class MessagesUsage:
    """Reads a stream; feed it the data of each event.

    `message_start` tells the input; `message_delta` tells everything as it stands by then, so a
    field that is present there takes the place of the former one. The output that `message_start`
    tells is a placeholder of 1 to 3 tokens, and no report.
    """

    def __init__(self) -> None:
        self._message: dict[str, Any] | None = None
        self._usage: dict[str, Any] = {}
        self._stopped = False

    def feed(self, data: bytes) -> None:
        """Take the data of one event."""
        event = decode_object(data) or {}
        kind = event.get("type")
        if kind == "message_start":
            self._message = dict(as_object(event.get("message")))
            self._learn(self._message.get("usage"))
            self._usage.pop("output_tokens", None)
        elif kind == "message_delta":
            reason = as_text(as_object(event.get("delta")).get("stop_reason"))
            self._message = {**(self._message or {})}
            self._message["stop_reason"] = reason or self._message.get("stop_reason")
            self._learn(event.get("usage"))
        elif kind == "message_stop":
            self._stopped = True

    def _learn(self, usage: object) -> None:
        told = as_object(usage).items()
        self._usage |= {name: value for name, value in told if value is not None}

    @property
    def reading(self) -> Reading | None:
        """What is known by now; None while no message has been seen."""
        if self._message is None:
            return None
        return _reading(self._message, self._usage, final=self._stopped)


def _reading(message: dict[str, Any], wire: dict[str, Any], *, final: bool) -> Reading:
    tally = Tally()
    counts = _counts(wire, tally)
    sums = Counter({name: value for name, value in counts.items() if value})
    for iteration in as_list(wire.get("iterations")):
        if iteration.get("type") == "compaction":
            sums.update({name: value or 0 for name, value in _counts(iteration, tally).items()})
    told = {name: None if counts[name] is None else sums[name] for name in counts}
    usage, unreported = tally.settled(told)
    server_tools = as_object(wire.get("server_tool_use"))
    searches = tally.count("web_searches", server_tools.get("web_search_requests"))
    return Reading(
        usage=usage,
        unreported=unreported,
        final=final,
        served_model=as_text(message.get("model")),
        service_tier=as_word(wire.get("service_tier")),
        inference_geo=as_word(wire.get("inference_geo")),
        speed=as_word(wire.get("speed")),
        finish_reason=as_text(message.get("stop_reason")),
        web_searches=searches or 0,
    )


def _counts(wire: dict[str, Any], tally: Tally) -> dict[str, int | None]:
    plain = tally.count("input_tokens", wire.get("input_tokens"))
    read = tally.count("cache_read_tokens", wire.get("cache_read_input_tokens")) or 0
    written, written_1h = _written(wire, tally)
    details = as_object(wire.get("output_tokens_details"))
    return {
        "input_tokens": None if plain is None else plain + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": written_1h,
        "output_tokens": tally.count("output_tokens", wire.get("output_tokens")),
        "reasoning_tokens": tally.count("reasoning_tokens", details.get("thinking_tokens")),
    }


def _written(wire: dict[str, Any], tally: Tally) -> tuple[int, int]:
    """Tokens written to the cache, and those of them that stay for an hour.

    The total is believed before its split, which some streams tell only of the first turn: what
    the split leaves over was written for five minutes, the time that holds where none was asked.
    """
    split = as_object(wire.get("cache_creation"))
    total = tally.count("cache_write_tokens", wire.get("cache_creation_input_tokens"))
    short = tally.count("cache_write_tokens", split.get("ephemeral_5m_input_tokens")) or 0
    long = tally.count("cache_write_1h_tokens", split.get("ephemeral_1h_input_tokens")) or 0
    if total is None:
        return short + long, long
    if short + long > total:
        tally.doubted.add("cache_write_1h_tokens")
        return total, 0
    return total, long
