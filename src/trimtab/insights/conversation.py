"""What was said, as turns of plain text. Pure; any bytes are taken, and nothing is raised.

Requests and answers are untrusted: they may be cut off, be another dialect, or be no JSON at all.
What cannot be read as turns is left out here, and `note` says so; the bytes remain for a raw view.
"""

from collections.abc import Iterator
from typing import Any, Literal, cast

import msgspec

__all__ = ["Conversation", "Turn", "read_conversation"]

Part = Literal["text", "tool_call", "tool_result", "reasoning", "refusal", "attachment"]

_DATA = b"data:"
_SETTINGS = (
    "model", "temperature", "top_p", "max_tokens", "max_completion_tokens", "n", "seed", "stop",
    "reasoning_effort", "tool_choice", "stream",
)  # fmt: skip
_MOST_TURNS = 1_000


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a conversation.

    Attributes:
        role: who said it, in the words of the dialect: "system", "user", "assistant", "tool" ...
        part: what it is; of an "attachment" `text` says the kind, its content is left out.
        text: plain text; the arguments of a tool call as they came.
        name: of the tool, or the id of the call that a result belongs to; "" where there is none.
        choice: number of the answer that it belongs to, from 0; answers may have several.
    """

    role: str
    part: Part = "text"
    text: str
    name: str = ""
    choice: int = 0


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its answer.

    Attributes:
        settings: fields of the request that steer the model, as JSON text.
        tools: names of the tools that the model was offered.
        request: what was asked, in its order.
        answer: what was answered.
        finish_reasons: of each choice, "" where none came.
        error: message of an error object in the answer, or "".
        notes: what could not be read, in words.
    """

    settings: tuple[tuple[str, str], ...] = ()
    tools: tuple[str, ...] = ()
    request: tuple[Turn, ...] = ()
    answer: tuple[Turn, ...] = ()
    finish_reasons: tuple[str, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()


def read_conversation(request: bytes, response: bytes) -> Conversation:
    """Read both sides of one inference."""
    notes: list[str] = []
    asked = _decoded(request)
    turns: tuple[Turn, ...] = ()
    if isinstance(asked, dict):
        asked = cast("dict[str, Any]", asked)
        turns = _first_turns(_asked(asked), notes)
    else:
        asked = {}
        notes.append("The request is not a JSON object. Its bytes are in the raw view.")
    answer = _Answer()
    if not response.strip():
        notes.append("No answer was recorded.")
    elif not answer.read(response):
        notes.append("The answer is neither JSON nor a stream. Its bytes are in the raw view.")
    return Conversation(
        settings=tuple((name, _json(asked[name])) for name in _SETTINGS if name in asked),
        tools=tuple(_tool_names(asked)),
        request=turns,
        answer=_first_turns(answer.turns(), notes),
        finish_reasons=tuple(answer.finish_reasons()),
        error=answer.error,
        notes=tuple(notes),
    )


def _first_turns(turns: Iterator[Turn], notes: list[str]) -> tuple[Turn, ...]:
    found: list[Turn] = []
    for turn in turns:
        if len(found) == _MOST_TURNS:
            notes.append(f"Only the first {_MOST_TURNS} turns are shown. All are in the raw view.")
            break
        found.append(turn)
    return tuple(found)


# ------------------------------------------------------------------ the request


def _asked(body: dict[str, Any]) -> Iterator[Turn]:
    for message in _dicts(body.get("messages")):
        role = _text(message.get("role")) or "unknown"
        if role == "tool":
            text = "\n".join(turn.text for turn in _content(role, message.get("content")))
            name = _text(message.get("tool_call_id"))
            yield Turn(role=role, part="tool_result", text=text, name=name)
        else:
            yield from _said(role, message)


def _said(role: str, message: dict[str, Any], choice: int = 0) -> Iterator[Turn]:
    """One message of either side."""
    for field in ("reasoning_content", "reasoning"):
        if reasoning := _text(message.get(field)):
            yield Turn(role=role, part="reasoning", text=reasoning, choice=choice)
    yield from _content(role, message.get("content"), choice)
    if refusal := _text(message.get("refusal")):
        yield Turn(role=role, part="refusal", text=refusal, choice=choice)
    calls = _dicts(message.get("tool_calls"))
    if old := _dict(message.get("function_call")):
        calls.append({"function": old})
    for call in calls:
        function = _dict(call.get("function")) or _dict(call.get("custom"))
        text = _text(function.get("arguments")) or _text(function.get("input"))
        name = _text(function.get("name"))
        yield Turn(role=role, part="tool_call", text=text, name=name, choice=choice)


def _content(role: str, content: object, choice: int = 0) -> Iterator[Turn]:
    """A string, or a list of parts."""
    if isinstance(content, str):
        if content:
            yield Turn(role=role, text=content, choice=choice)
        return
    for part in _dicts(content):
        kind = _text(part.get("type")) or "unknown"
        if isinstance(text := part.get("text"), str):
            yield Turn(role=role, text=text, choice=choice)
        elif refusal := _text(part.get("refusal")):
            yield Turn(role=role, part="refusal", text=refusal, choice=choice)
        else:
            yield Turn(role=role, part="attachment", text=kind, choice=choice)


def _tool_names(body: dict[str, Any]) -> Iterator[str]:
    for tool in _dicts(body.get("tools")):
        function = _dict(tool.get("function"))
        if name := _text(function.get("name")) or _text(tool.get("name")):
            yield name


# ------------------------------------------------------------------ the answer


class _Answer:
    """Choices, put together from one JSON object or from the events of a stream."""

    def __init__(self) -> None:
        self.error = ""
        self._choices: dict[int, _Choice] = {}

    def read(self, response: bytes) -> bool:
        """Take it all in; whether any of it was of a known form."""
        whole = _decoded(response)
        if isinstance(whole, dict):
            self._take(cast("dict[str, Any]", whole))
            return True
        known = False
        for event in _events(response):
            known = True
            value = _decoded(event)
            if isinstance(value, dict):
                self._take(cast("dict[str, Any]", value))
        return known

    def turns(self) -> Iterator[Turn]:
        for index in sorted(self._choices):
            yield from _said("assistant", self._choices[index].message(), index)

    def finish_reasons(self) -> Iterator[str]:
        for index in sorted(self._choices):
            yield self._choices[index].finish_reason

    def _take(self, value: dict[str, Any]) -> None:
        error = value.get("error")
        if isinstance(error, dict):
            error = _dict(cast("object", error))
            self.error = _text(error.get("message")) or _json(error)
        elif error:
            self.error = _text(error) or _json(error)
        for place, choice in enumerate(_dicts(value.get("choices"))):
            index = choice.get("index")
            index = index if isinstance(index, int) else place
            self._choices.setdefault(index, _Choice()).take(choice)


class _Choice:
    """One of the answers, as far as it has come."""

    def __init__(self) -> None:
        self.finish_reason = ""
        self._texts: dict[str, list[str]] = {}
        self._content: object = None
        self._calls: dict[int, tuple[list[str], list[str]]] = {}

    def take(self, choice: dict[str, Any]) -> None:
        """A whole message, or the next piece of one."""
        self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason
        message = _dict(choice.get("message")) or _dict(choice.get("delta"))
        for field in ("content", "refusal", "reasoning_content", "reasoning"):
            piece = message.get(field)
            if isinstance(piece, str):
                self._texts.setdefault(field, []).append(piece)
        if isinstance(content := message.get("content"), list):
            self._content = cast("object", content)
        for place, call in enumerate(_dicts(message.get("tool_calls"))):
            index = call.get("index")
            names, texts = self._calls.setdefault(
                index if isinstance(index, int) else place, ([], [])
            )
            function = _dict(call.get("function")) or _dict(call.get("custom"))
            names.append(_text(function.get("name")))
            texts.append(_text(function.get("arguments")) or _text(function.get("input")))

    def message(self) -> dict[str, Any]:
        """All pieces as one message."""
        found: dict[str, Any] = {field: "".join(pieces) for field, pieces in self._texts.items()}
        if self._content is not None:
            found["content"] = self._content
        found["tool_calls"] = [
            {"function": {"name": "".join(names), "arguments": "".join(texts)}}
            for _, (names, texts) in sorted(self._calls.items())
        ]
        return found


def _events(stream: bytes) -> Iterator[bytes]:
    """The data of each event; several `data:` lines of one are joined (WHATWG HTML, 9.2.6)."""
    data: list[bytes] = []
    for line in stream.splitlines():
        if line.startswith(_DATA):
            data.append(line[len(_DATA) :].removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []
    if data:  # cut off in the last event
        yield b"\n".join(data)


# ------------------------------------------------------------------ values of any shape


def _decoded(data: bytes) -> object:
    """JSON, or None; what is not UTF-8 is replaced: a text may be cut in a character."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return msgspec.json.decode(data.decode("utf-8", "replace"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _dicts(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    items = cast("list[object]", value)
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _json(value: object) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
