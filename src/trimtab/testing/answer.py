"""What an answer says: OpenAI chat objects from a behaviour and a request."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from trimtab.testing.script import Behaviour, ToolCall

__all__ = ["CALL_NUMBER", "Answer", "Ask", "Chunk"]

CALL_NUMBER = b"~CALLNO~"
"""Stands in prepared bytes for the eight digits of the call's number."""

_ANSWER_ID = "chatcmpl-" + CALL_NUMBER.decode()
_CREATED = 1_760_000_000
# Two, three and four bytes in UTF-8, so that cut segments meet every case.
_TEXT = "the rudder turns naïve ship 海 slowly and a small 🚢 tab turns it"
_WORDS = tuple(_TEXT.split())


class Ask(NamedTuple):
    """What of a request decides about the answer."""

    model: str
    streamed: bool = False
    usage_wanted: bool = False
    n: int = 1
    max_tokens: int | None = None
    prompt_tokens: int = 1
    prefill: str = ""


class Chunk(NamedTuple):
    """One JSON event of a stream: the object, its new tokens, and the usage it reports."""

    value: dict[str, Any]
    tokens: int = 0
    usage: dict[str, Any] | None = None


class Answer:
    """The content of one answer.

    Args:
        behaviour: what was scripted.
        ask: what was asked.
        seed: chooses the words.
    """

    def __init__(self, behaviour: Behaviour, ask: Ask, seed: int) -> None:
        self._behaviour = behaviour
        self._ask = ask
        self._seed = seed
        self._model = behaviour.served_model or ask.model
        self._n = ask.n if behaviour.choices is None else behaviour.choices
        self._said = self._tokens_in(ask.prefill) if ask.prefill else 0
        left = max(behaviour.tokens - self._said, 0)
        limit = ask.max_tokens if behaviour.honours_max_tokens else None
        self._limited = limit is not None and limit < left
        self._count = limit if limit is not None and self._limited else left

    @property
    def total_tokens(self) -> int:
        """Output tokens of all choices."""
        return self._n * (self._content_tokens + sum(c.pieces for c in self._behaviour.tool_calls))

    def usage(self, output_tokens: int | None = None) -> dict[str, Any]:
        """The usage object: the scripted or the right one, after `output_tokens` or all of them."""
        completion = self.total_tokens if output_tokens is None else output_tokens
        right = {
            "prompt_tokens": self._ask.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self._ask.prompt_tokens + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
        }
        scripted = self._behaviour.usage
        if scripted is None:
            return right
        if output_tokens is None:
            return scripted
        return {**scripted, "completion_tokens": completion}

    def words(self) -> list[str]:
        """The content, token by token."""
        return list(self._pieces())

    def plain(self) -> dict[str, Any]:
        """The body of an answer that is not streamed."""
        value = self._envelope("chat.completion")
        value["choices"] = [self._choice(index) for index in range(self._n)]
        if self._behaviour.report_usage != "never":
            value["usage"] = self.usage()
        return value

    def chunks(self) -> Iterator[Chunk]:
        """The JSON events of a stream, in order."""
        for index in range(self._n):
            yield self._chunk(index, {"role": "assistant", "content": ""})
        yield from self._counted()
        if not self._behaviour.omit_finish:
            for index in range(self._n):
                yield self._last_chunk(index)
        if self._usage_chunk_follows:
            usage = self.usage()
            yield Chunk({**self._envelope(), "choices": [], "usage": usage}, usage=usage)

    def _counted(self) -> Iterator[Chunk]:
        sent = 0
        for delta, tokens in self._deltas():
            for index in range(self._n):
                sent += tokens
                chunk = self._chunk(index, delta, tokens)
                yield self._with_usage(chunk, sent) if self._cumulative else chunk

    def _deltas(self) -> Iterator[tuple[dict[str, Any], int]]:
        for piece in self._pieces():
            yield {"content": piece}, 1
        for place, call in enumerate(self._behaviour.tool_calls):
            yield {"tool_calls": [{"index": place, **_tool_call(call, "")}]}, 0
            for piece in _cut(call.arguments, call.pieces):
                yield {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}, 1

    def _pieces(self) -> Iterator[str]:
        text = self._behaviour.text
        if text is not None:
            yield from _cut(text.removeprefix(self._ask.prefill), self._count)
            return
        for place in range(self._said, self._said + self._content_tokens):
            yield self._word(place)

    def _word(self, place: int) -> str:
        word = _WORDS[(self._seed + place) % len(_WORDS)]
        return f" {word}" if place else "x" * self._behaviour.token_padding_bytes + word

    def _tokens_in(self, prefill: str) -> int:
        """How many tokens of this answer `prefill` is the beginning of; 0 if it is another text."""
        text = self._behaviour.text
        if text is not None:
            begun = text.startswith(prefill)
            return self._behaviour.tokens * len(prefill) // len(text) if begun and text else 0
        place = end = 0
        while end < len(prefill):
            word = self._word(place)
            if not prefill.startswith(word, end):
                return 0
            place, end = place + 1, end + len(word)
        return place

    @property
    def _content_tokens(self) -> int:
        usual = self._behaviour.text is not None or not self._behaviour.tool_calls
        return self._count if usual else 0

    @property
    def _cumulative(self) -> bool:
        return self._behaviour.report_usage == "each_chunk"

    @property
    def _usage_chunk_follows(self) -> bool:
        report = self._behaviour.report_usage
        return report == "always" or (report == "asked" and self._ask.usage_wanted)

    @property
    def _finish_reason(self) -> str:
        usual = "length" if self._limited else "stop"
        if self._behaviour.tool_calls:
            usual = "tool_calls"
        return self._behaviour.finish_reason or usual

    def _envelope(self, kind: str = "chat.completion.chunk") -> dict[str, Any]:
        return {"id": _ANSWER_ID, "object": kind, "created": _CREATED, "model": self._model}

    def _choice(self, index: int) -> dict[str, Any]:
        content = "".join(self._pieces())
        message: dict[str, Any] = {"role": "assistant", "content": content or None}
        calls = self._behaviour.tool_calls
        if calls:
            message["tool_calls"] = [_tool_call(call, call.arguments) for call in calls]
        finish = None if self._behaviour.omit_finish else self._finish_reason
        return {"index": index, "message": message, "finish_reason": finish}

    def _chunk(self, index: int, delta: dict[str, Any], tokens: int = 0) -> Chunk:
        choice = {"index": index, "delta": delta, "finish_reason": None}
        value: dict[str, Any] = {**self._envelope(), "choices": [choice]}
        if self._usage_chunk_follows:
            value["usage"] = None
        return Chunk(value, tokens)

    def _last_chunk(self, index: int) -> Chunk:
        chunk = self._chunk(index, {})
        chunk.value["choices"][0]["finish_reason"] = self._finish_reason
        return self._with_usage(chunk, None) if self._cumulative else chunk

    def _with_usage(self, chunk: Chunk, output_tokens: int | None) -> Chunk:
        usage = self.usage(output_tokens)
        return Chunk({**chunk.value, "usage": usage}, chunk.tokens, usage)


def _tool_call(call: ToolCall, arguments: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _cut(text: str, pieces: int) -> Iterator[str]:
    """Exactly `pieces` parts of `text`, as equal as can be; some are empty if it is too short."""
    for place in range(pieces):
        yield text[len(text) * place // pieces : len(text) * (place + 1) // pieces]
