"""A stream that broke, gone on with by another call: what to ask for, and how to join the two.

Source: OpenAI-compatible servers that take a last message of role `assistant` as the beginning of
the answer (llama.cpp, SGLang, Mistral's `prefix`, DeepSeek's prefix completion).
"""

from typing import Any, cast

import msgspec

from trimtab.providers.usage.reading import Tally
from trimtab.providers.wire.chat_answer import UNREADABLE
from trimtab.providers.wire.chat_request import ChatRequest, rewritten

__all__ = ["continuation_body", "joined_usage", "shown_text"]

_NO_TEXT: tuple[object, ...] = (None, "", [], {})


def shown_text(frames: bytes) -> str | None:
    """The text of the frames that a caller has seen, or None if nobody could go on from it.

    Tool calls, reasoning and logprobs cannot be resumed, and several choices not together.
    """
    texts: list[str] = []
    for event in frames.split(b"\n\n"):
        data = event.removeprefix(b"data: ")
        if data is event or not data:
            if event and not event.startswith(b":"):
                return None
            continue
        try:
            chunk: dict[str, Any] = msgspec.json.decode(data)
        except UNREADABLE:
            return None
        piece = _text_of(chunk)
        if piece is None:
            return None
        texts.append(piece)
    return "".join(texts)


def _text_of(chunk: dict[str, Any]) -> str | None:
    choices: list[dict[str, Any]] = chunk.get("choices") or []
    if not choices:
        return ""
    choice = choices[0]
    delta: dict[str, Any] = choice.get("delta") or {}
    other = {name: value for name, value in delta.items() if name not in {"role", "content"}}
    if (
        len(choices) > 1
        or choice.get("index", 0) != 0
        or choice.get("logprobs") not in _NO_TEXT
        or any(value not in _NO_TEXT for value in other.values())
    ):
        return None
    content = delta.get("content")
    return content if isinstance(content, str) else ("" if content is None else None)


def continuation_body(
    body: bytes, request: ChatRequest, *, text: str, shown_tokens: int
) -> bytes | None:
    """The caller's request with `text` as the beginning of the answer; None if it has one already.

    A limit on output counts what was shown.
    """
    messages: list[Any] = msgspec.json.decode(request.messages)
    last = messages[-1] if messages else None
    if isinstance(last, dict) and cast("dict[str, Any]", last).get("role") == "assistant":
        return None
    raw = bytes(request.messages).rstrip()[:-1]
    started = msgspec.json.encode({"role": "assistant", "content": text})
    changes = {"messages": b"".join((raw, b"," if messages else b"", started, b"]"))}
    for name, limit in request.limits.items():
        changes[name] = b"%d" % max(limit - shown_tokens, 1)
    return rewritten(body, changes)


def joined_usage(data: bytes, shown_tokens: int) -> bytes:
    """The event with usage of the second call, as if one call had made the whole answer.

    What was shown before counts as output; it was sent again as input, which the caller need not
    see. The record has each call's own figures.
    """
    chunk: dict[str, Any] = msgspec.json.decode(data)
    usage: dict[str, Any] = chunk["usage"]
    count = Tally().count
    prompt = max((count("", usage.get("prompt_tokens")) or 0) - shown_tokens, 0)
    completion = (count("", usage.get("completion_tokens")) or 0) + shown_tokens
    usage["prompt_tokens"] = prompt
    usage["completion_tokens"] = completion
    usage["total_tokens"] = prompt + completion
    return b"data: " + msgspec.json.encode(chunk)
