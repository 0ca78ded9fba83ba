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

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, ValidationError, convert

from trimtab.providers.usage.reading import (
    UNREADABLE,
    Count,
    Reading,
    Tally,
    as_object,
    as_word,
    exact_number,
    nanousd_of,
)
from trimtab.types.usage import Usage

__all__ = ["ChatUsage", "Said", "SaidOfChoice", "UsualUsage", "read_usage", "reading_of"]

_DONE = b"[DONE]"
_NOTHING = frozenset[str]()
_TICKS_PER_USD = 10_000_000_000  # xAI API reference, "Cost tracking"


class _UsualInputs(Struct, frozen=True, gc=False):
    cached_tokens: Count = 0
    cache_write_tokens: Count = 0
    audio_tokens: Count = 0


class _UsualOutputs(Struct, frozen=True, gc=False):
    reasoning_tokens: Count = 0
    audio_tokens: Count = 0


class UsualUsage(Struct, frozen=True, gc=False):
    """As OpenAI writes it. What only others say is named here, so that it is not passed over.

    Not to be decoded from counts of which a part is larger than its whole, or a sum is wrong.
    """

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count
    prompt_tokens_details: _UsualInputs = _UsualInputs()
    completion_tokens_details: _UsualOutputs = _UsualOutputs()
    prompt_cache_hit_tokens: None = None
    cached_tokens: None = None
    reasoning_tokens: None = None
    num_sources_used: None = None
    cost: None = None
    cost_in_usd_ticks: None = None

    def __post_init__(self) -> None:
        inputs, outputs = self.prompt_tokens_details, self.completion_tokens_details
        total_in, total_out = self.prompt_tokens, self.completion_tokens
        if (
            self.total_tokens != total_in + total_out
            or inputs.cached_tokens + inputs.cache_write_tokens > total_in
            or inputs.audio_tokens > total_in
            or outputs.reasoning_tokens + outputs.audio_tokens > total_out
        ):
            raise ValueError("counts that contradict each other")

    @property
    def tokens(self) -> Usage:
        """In the house's convention, which is the same."""
        inputs, outputs = self.prompt_tokens_details, self.completion_tokens_details
        return Usage(
            self.prompt_tokens,
            inputs.cached_tokens,
            inputs.cache_write_tokens,
            inputs.audio_tokens,
            self.completion_tokens,
            outputs.reasoning_tokens,
            outputs.audio_tokens,
        )


class SaidOfChoice(Struct, frozen=True):
    """What is said of one choice. Moonshot puts the usage of a stream in here."""

    index: object = 0
    finish_reason: str | None = None
    usage: object = None


class Said(Struct, frozen=True, kw_only=True):
    """What an answer or a chunk says of itself, beside its text.

    What is beside the answer is not held to a type here: an odd count of tokens is no reason to
    refuse a good answer.
    """

    choices: tuple[SaidOfChoice, ...]
    model: str | None = None
    usage: object = None
    x_groq: object = None
    service_tier: object = None


class _SaidAnywhere(Said, frozen=True, kw_only=True):
    choices: tuple[SaidOfChoice, ...] = ()  # embeddings have none


_decoder = msgspec.json.Decoder(_SaidAnywhere, float_hook=exact_number)  # fractions stay exact


def read_usage(body: bytes) -> Reading | None:
    """What a whole answer says; None if it is an error or no chat completion."""
    stream = ChatUsage()
    stream.feed(body)
    stream.end()
    return stream.reading


def reading_of(said: Said) -> Reading | None:
    """What a whole answer says that was decoded already."""
    usage = said.usage
    if isinstance(usage, UsualUsage):
        choices = said.choices
        if len(choices) == 1:  # nearly always
            finish_reason = choices[0].finish_reason or ""
        else:
            finish_reason = _first_of(_finishes(choices))
        return Reading(
            usage=usage.tokens,
            served_model=said.model or "",
            service_tier=as_word(said.service_tier),
            finish_reason=finish_reason,
        )
    stream = ChatUsage()
    stream.take(said)
    stream.end()
    return stream.reading


class ChatUsage:
    """Reads a stream: feed it the data of each event, or give it the chunks and the end.

    Attributes:
        served_model: the model as the provider names it; "" while it has not.
        finishes: why choices ended, by their index; those that have.
    """

    def __init__(self) -> None:
        self.served_model = ""
        self.finishes: dict[int, str] = {}
        self._seen = False
        self._done = False
        self._usage: dict[str, Any] = {}
        self._tier = ""
        self._reading: Reading | None = None

    def feed(self, data: bytes) -> None:
        """Take the data of one event, the terminator included."""
        if data.strip() == _DONE:
            self.end()
            return
        try:
            said = _decoder.decode(data)
        except UNREADABLE:
            return
        self.take(said)

    def take(self, said: Said) -> None:
        """Take a chunk, or a whole answer."""
        # An empty object says nothing, and must not take the place of what was said before.
        usage = _usage_of(said)
        if not (usage or said.choices or said.usage is not None):
            return
        self._seen = True
        self._reading = None
        self._usage = usage or self._usage
        self.served_model = said.model or self.served_model
        if said.service_tier is not None:
            self._tier = as_word(said.service_tier) or self._tier
        self.finishes.update(_finishes(said.choices))

    def end(self) -> None:
        """Nothing follows."""
        self._done = True
        if self._reading is not None and not self._reading.final:
            self._reading = None

    @property
    def reading(self) -> Reading | None:
        """What is known by now; None while no chunk has been seen."""
        if self._reading is None and self._seen:
            self._reading = self._read()
        return self._reading

    @property
    def usage(self) -> Usage | None:
        """The last usage reported, or None."""
        reading = self.reading if self._usage else None
        return None if reading is None else reading.usage

    def _read(self) -> Reading:
        usage = _usual(self._usage)
        if usage is not None:
            return self._reading_of(usage)
        tally = Tally()
        usage, unreported = tally.settled(_counts(self._usage, tally))
        searches = tally.count("web_searches", self._usage.get("num_sources_used"))
        return self._reading_of(
            usage,
            unreported=unreported,
            searches=searches or 0,
            claimed_nanousd=_claimed(self._usage),
        )

    def _reading_of(
        self,
        usage: Usage | None,
        *,
        unreported: frozenset[str] = _NOTHING,
        searches: int = 0,
        claimed_nanousd: int | None = None,
    ) -> Reading:
        return Reading(
            usage=usage,
            unreported=unreported,
            final=self._done or bool(self.finishes and usage),
            served_model=self.served_model,
            service_tier=self._tier,
            finish_reason=_first_of(self.finishes),
            web_searches=searches,
            claimed_nanousd=claimed_nanousd,
        )


def _finishes(choices: Sequence[SaidOfChoice]) -> dict[int, str]:
    """Why choices ended, by their index; those that have."""
    return {
        choice.index if isinstance(choice.index, int) else place: choice.finish_reason
        for place, choice in enumerate(choices)
        if choice.finish_reason
    }


def _first_of(finishes: dict[int, str]) -> str:
    return finishes[min(finishes)] if finishes else ""


def _usage_of(said: Said) -> dict[str, Any]:
    """The usage object, wherever the vendor puts it; empty where there is none."""
    usage = as_object(said.usage)
    if not usage and said.x_groq is not None:
        usage = as_object(as_object(said.x_groq).get("usage"))
    if not usage:
        found = (as_object(choice.usage) for choice in said.choices)
        usage = next(filter(None, found), usage)
    return usage


def _usual(wire: dict[str, Any]) -> Usage | None:
    """The usage where all is as OpenAI writes it; None where it has to be looked at closely."""
    try:
        return convert(wire, UsualUsage).tokens
    except ValidationError:
        return None


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
    total, tokens_in, tokens_out = (
        wire.get("total_tokens"),
        counts["input_tokens"],
        counts["output_tokens"],
    )
    if tokens_in is not None and tokens_out is not None and total == tokens_in + tokens_out:
        return counts
    whole = Tally().count("", total)
    return counts if whole is None else counts | _by_total(counts, whole)


def _by_total(counts: dict[str, int | None], total: int) -> dict[str, int | None]:
    """What the total says of the counts beside it: which are parts, and which one is missing.

    Tokens that are in the total and in neither count are output that is not shown: Google's
    compatible endpoint leaves out its thoughts, which it charges as output.
    """
    tokens_in, tokens_out = counts["input_tokens"], counts["output_tokens"]
    beside = total - (tokens_in or 0) - (tokens_out or 0)
    if beside < 0:
        return {}
    if tokens_in is None or tokens_out is None:
        return _missing_one(tokens_in, tokens_out, beside)
    reasoning = counts["reasoning_tokens"] or 0
    cached = (counts["cache_read_tokens"] or 0) + (counts["cache_write_tokens"] or 0)
    if beside == reasoning:
        return {"output_tokens": tokens_out + beside}
    if beside == cached:
        return {"input_tokens": tokens_in + cached}
    return {"output_tokens": tokens_out + beside, "reasoning_tokens": reasoning + beside}


def _missing_one(
    tokens_in: int | None, tokens_out: int | None, beside: int
) -> dict[str, int | None]:
    """The count that is not told, by the total; nothing where neither is."""
    if tokens_in is None and tokens_out is None:
        return {}
    return {"input_tokens" if tokens_in is None else "output_tokens": beside}


def _claimed(wire: dict[str, Any]) -> int | None:
    if "cost_in_usd_ticks" in wire:
        return nanousd_of(wire["cost_in_usd_ticks"], per_usd=_TICKS_PER_USD)
    return nanousd_of(wire.get("cost"))
