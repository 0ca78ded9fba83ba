r"""Events of a stream, and the answer that its chunks make together.

Framing follows the WHATWG specification of server-sent events: `\n`, `\r\n` and `\r` end lines, a
blank line ends an event, other fields than `data` and comments say nothing here.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from trimtab.errors import ProviderGarbage

__all__ = ["Chunks", "EventReader"]

_MOST_EVENT_BYTES: Final = 8_000_000
_BOM: Final = b"\xef\xbb\xbf"
_OF_THE_WHOLE: Final = ("id", "created", "model", "system_fingerprint", "service_tier")


class EventReader:
    """Bytes -> the data of events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._bytes = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The data of each event that is complete by now.

        Raises:
            ProviderGarbage: an event never ends.
        """
        for line in self._lines(data):
            if not line:
                if self._data:
                    yield b"\n".join(self._data)
                self._data, self._bytes = [], 0
                continue
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
                self._bytes += len(value)
        if self._bytes + len(self._rest) > _MOST_EVENT_BYTES:
            raise ProviderGarbage("An event of the stream never ends.")

    def _lines(self, data: bytes) -> list[bytes]:
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        text = self._rest + data
        if self._at_start and len(text) >= len(_BOM):
            self._at_start = False
            text = text.removeprefix(_BOM)
        lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop()
        return lines


class Chunks:
    """Puts the chunks of a stream together.

    Attributes:
        finished: every choice that was seen has its finish reason.
    """

    def __init__(self) -> None:
        self._whole: dict[str, Any] = {"object": "chat.completion"}
        self._choices: dict[int, dict[str, Any]] = {}

    @property
    def finished(self) -> bool:
        """Whether every choice is complete."""
        choices = self._choices.values()
        return bool(choices) and all(choice["finish_reason"] for choice in choices)

    @property
    def whole(self) -> dict[str, Any]:
        """The answer so far, as one that is not streamed."""
        choices = [self._choices[index] for index in sorted(self._choices)]
        return {**self._whole, "choices": choices}

    def add(self, chunk: dict[str, Any]) -> str:
        """Add one; returns the text that it adds to the first choice."""
        for name in _OF_THE_WHOLE:
            if chunk.get(name) is not None:
                self._whole.setdefault(name, chunk[name])
        if isinstance(chunk.get("usage"), dict):
            self._whole["usage"] = chunk["usage"]
        text = ""
        choices: object = chunk.get("choices")
        for choice in cast("list[object]", choices) if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                text += self._add_choice(cast("dict[str, Any]", choice))
        return text

    def _add_choice(self, choice: dict[str, Any]) -> str:
        index: object = choice.get("index", 0)
        if not isinstance(index, int):
            return ""
        kept = self._choices.setdefault(
            index,
            {
                "index": index,
                "message": {"role": "assistant", "content": None},
                "finish_reason": None,
            },
        )
        kept["finish_reason"] = choice.get("finish_reason") or kept["finish_reason"]
        delta: object = choice.get("delta")
        if not isinstance(delta, dict):
            return ""
        fields = cast("dict[str, Any]", delta)
        _add_tool_calls(kept["message"], fields.get("tool_calls"))
        content = fields.get("content")
        if not isinstance(content, str):
            return ""
        kept["message"]["content"] = (kept["message"]["content"] or "") + content
        return content if index == 0 else ""


def _add_tool_calls(message: dict[str, Any], pieces: object) -> None:
    if not isinstance(pieces, list):
        return
    calls: list[dict[str, Any]] = message.setdefault("tool_calls", [])
    for piece in cast("list[object]", pieces):
        fields = _object(piece)
        place = fields.get("index", 0)
        if not isinstance(place, int) or not 0 <= place <= len(calls):
            raise ProviderGarbage("The stream has a tool call out of order.")
        if place == len(calls):
            calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
        call = calls[place]
        call["id"] = call["id"] or _text(fields.get("id"))
        function = _object(fields.get("function"))
        for name in ("name", "arguments"):
            call["function"][name] += _text(function.get(name))


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
