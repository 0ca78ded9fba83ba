r"""A streamed answer on its way to the caller: pass bytes on, decode only the frames that matter.

Framing follows the WHATWG specification of server-sent events: `\n`, `\r\n` and `\r` end lines,
a blank line ends an event, lines that begin with a colon are comments, a byte-order mark may come
first, and an event that is not ended by a blank line is dropped.
"""

import re
from typing import Any, NamedTuple

import msgspec

from trimtab.errors import ProviderGarbage
from trimtab.providers.usage.openai_chat import ChatUsage, Said, SaidOfChoice
from trimtab.providers.usage.reading import Reading
from trimtab.providers.wire.chat_answer import UNREADABLE, Chunk, read_chunk
from trimtab.providers.wire.chat_continue import joined_usage
from trimtab.types.usage import Usage

__all__ = ["DONE", "MAX_EVENT_BYTES", "ChatStream"]

DONE = b"data: [DONE]\n\n"
MAX_EVENT_BYTES = 8_000_000
_BOM = b"\xef\xbb\xbf"
_check_json = msgspec.json.Decoder(msgspec.Raw).decode  # walks the syntax, builds nothing
_OF_EVERY_CHUNK = ("id", "object", "created", "model", "system_fingerprint")
_CONTENT = b'"content":"'
_CONTENTS = re.compile(rb'"content":"((?:[^"\\]|\\.)*)"').findall
_SIZE_LINE = 10  # bytes in which a chunk tells its size, if it is of any size that we pass on
_TEXT = bytes(set(range(0x20, 0x80)) - set(b'"\\'))  # what stands for itself in a JSON string


class ChatStream:
    """Reads a stream as it arrives and says which bytes may go on.

    Nothing goes on before the first token, so that a failure until then can still become a proper
    status; from the finish on everything is held, so that the record can be written first.

    Args:
        choices: how many the caller asked for.
        keep_usage: the caller asked for the usage chunk.
        shown_tokens: tokens that another stream has shown before this one goes on with the answer;
            its own opening is then left out.

    Attributes:
        started: a first token has been seen.
        finished: every choice has its finish reason.
        done: the terminator has been seen.
        error: raw JSON of an in-band error, or None.
        content_frames: events with content passed on; about one token each.
        content_bytes: bytes of JSON that content was, or a few more.
        skipped_frames: events that were not of the format and were left out.
    """

    def __init__(self, *, choices: int, keep_usage: bool, shown_tokens: int = 0) -> None:
        self.started = False
        self.finished = False
        self.done = False
        self.error: bytes | None = None
        self.content_frames = 0
        self.content_bytes = 0
        self.skipped_frames = 0
        self._told = ChatUsage()
        self._choices = choices
        self._keep_usage = keep_usage
        self._shown_tokens = shown_tokens
        self._partial = b""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._after_cr = False
        self._at_start = True
        self._shape: _Shape | None = None
        self._around = 0  # bytes, of the latest shape
        self._opening = b""

    @property
    def reading(self) -> Reading | None:
        """What the provider has said of its own work by now; None while it has said nothing."""
        return self._told.reading

    @property
    def usage(self) -> Usage | None:
        """The last usage reported, or None."""
        return self._told.usage

    @property
    def served_model(self) -> str:
        """As the provider names it; "" while it has not."""
        return self._told.served_model

    @property
    def complete(self) -> bool:
        """Terminated, or finished with usage known: some providers never send the terminator."""
        return self.done or (self.finished and self.usage is not None)

    def feed(self, data: bytes) -> bytes:
        """Take what arrived; return what may go to the caller now.

        Raises:
            ProviderGarbage: more than `MAX_EVENT_BYTES` would have to be kept: of one event, before
                the first token, or after the finish.
        """
        if self.started and not self.finished and not self._partial:
            if self._shape is not None and _has_shape(data, self._shape):
                self.content_frames += 1
                self.content_bytes += len(data) - self._shape.both_bytes
                return data
            if _is_plain(data):
                frames = data.count(b"\n\n")
                self.content_frames += frames
                self._note_shape(data)
                self.content_bytes += self._content_of(data, frames)
                return data
        return self._feed_events(data)

    def passes(self, chunk: bytes) -> bool:
        """Whether one whole chunk of HTTP/1.1 holds a plain event like the one before.

        Then it may go on as it is, and counts; else it is to be unchunked and fed.
        """
        shape = self._shape
        if shape is None or self.finished or self._partial:
            return False
        head, _, tail, head_bytes, around = shape
        begin = chunk.find(b"\r\n", 0, _SIZE_LINE) + 2
        event_bytes = len(chunk) - begin - 2
        size = event_bytes - around
        text = begin + head_bytes
        if (
            size < 0
            or not chunk.startswith(head, begin)
            or not chunk.endswith(tail)
            or chunk[text : text + size].translate(None, _TEXT)
            or chunk[:begin] != b"%x\r\n" % event_bytes
        ):
            return False
        self.content_frames += 1
        self.content_bytes += size
        return True

    def tail(self) -> bytes:
        """The frames held back since the finish, with the terminator that the dialect wants."""
        held, self._held = b"".join(self._held), []
        return held + DONE

    def cut(self, usage: Usage) -> None:
        """End the answer here, as if it had reached its limit of tokens.

        What follows for the caller is a finish reason for every choice, the usage if it was asked
        for, and the terminator; all of it in `tail`.

        Args:
            usage: tokens so far, as far as they are known.
        """
        opening: dict[str, Any] = msgspec.json.decode(self._opening) if self._opening else {}
        frame = {name: opening[name] for name in _OF_EVERY_CHUNK if name in opening}
        open_choices = set(range(self._choices)) - self._told.finishes.keys()
        choices: list[dict[str, Any]] = [
            {"index": index, "delta": {}, "finish_reason": "length"} for index in open_choices
        ]
        self._held.append(_event({**frame, "choices": choices}))
        if self._keep_usage:
            output_tokens = usage.output_tokens + self._shown_tokens
            counts = {
                "prompt_tokens": usage.input_tokens,
                "completion_tokens": output_tokens,
                "total_tokens": usage.input_tokens + output_tokens,
            }
            self._held.append(_event({**frame, "choices": [], "usage": counts}))
        self._told.take(Said(choices=tuple(SaidOfChoice(i, "length") for i in open_choices)))
        self.finished = self.done = True

    def _note_shape(self, data: bytes) -> None:
        """Remember what frames look like, so that the next ones need not be parsed."""
        self._shape = _shape_of(data)
        if self._shape is not None:
            self._around = self._shape.both_bytes

    def _content_of(self, data: bytes, frames: int) -> int:
        """Bytes of content in plain events: exactly, unless some have another kind of it."""
        if self._shape is not None:
            return len(data) - self._shape.both_bytes
        contents = _CONTENTS(data)
        if len(contents) >= frames and all(contents):
            return sum(map(len, contents))
        around = frames * self._around  # about, if any was ever known
        return len(data) - (around if around < len(data) else 0)

    def _feed_events(self, data: bytes) -> bytes:
        buffer = self._partial + self._normalised(data)
        end = buffer.rfind(b"\n\n") + 2
        if end == 1:
            self._partial = buffer
            if len(buffer) > MAX_EVENT_BYTES:
                raise ProviderGarbage(
                    f"The provider sent a single event of more than {MAX_EVENT_BYTES} bytes."
                )
            return b""
        self._partial = buffer[end:]
        ready: list[bytes] = []
        for event in buffer[:end].split(b"\n\n"):
            if event.strip(b"\n"):
                self._take(event.lstrip(b"\n"), ready)
        return b"".join(ready)

    def _normalised(self, data: bytes) -> bytes:
        r"""Line ends as `\n`, the byte-order mark gone."""
        if self._at_start and data:
            self._at_start = False
            data = data.removeprefix(_BOM)
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _take(self, event: bytes, ready: list[bytes]) -> None:
        """Read one event and decide: pass on, hold, or leave out."""
        data = _data_of(event)
        if data is None:  # comments only
            self._pass(event, ready)
        elif data == b"[DONE]":
            self.done = True
            self._told.end()
        else:
            chunk = read_chunk(data)
            if chunk is None:
                self.skipped_frames += 1
            else:
                self._learn(chunk)
                self._opening = self._opening or data
                if self._shown_tokens:
                    event = self._joined(event, data, chunk)
                if event and not (chunk.is_usage_only and not self._keep_usage):
                    self._pass(event, ready)

    def _joined(self, event: bytes, data: bytes, chunk: Chunk) -> bytes:
        """An event as it goes on after those of another stream; b"" for its opening."""
        if not (self.started or self.finished):
            return b""
        return joined_usage(data, self._shown_tokens) if isinstance(chunk.usage, dict) else event

    def _pass(self, event: bytes, ready: list[bytes]) -> None:
        self._held.append(event + b"\n\n")
        self._held_bytes += len(event)
        if self._held_bytes > MAX_EVENT_BYTES:
            raise ProviderGarbage(
                f"The provider sent more than {MAX_EVENT_BYTES} bytes before its first token or "
                "after its finish."
            )
        if self.started and not self.finished and self.error is None:
            ready.extend(self._held)
            self._held.clear()
            self._held_bytes = 0

    def _learn(self, chunk: Chunk) -> None:
        self._told.take(chunk)
        if chunk.is_error:
            self.error = bytes(chunk.error)
            return
        has_content = False
        for choice in chunk.choices:
            has_content = has_content or choice.has_content
            self.content_bytes += choice.content_bytes
        self.content_frames += has_content
        self.started = self.started or has_content
        if len(self._told.finishes) >= self._choices:
            self.finished = True


def _event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def _is_plain(data: bytes) -> bool:
    """Whether no event in `data` can matter: no usage, finish, error, terminator or odd framing.

    A quote inside a JSON string is escaped, so the texts looked for cannot be content.
    """
    count = data.count
    return (
        _is_json_throughout(data)
        and count(b'"usage"') == count(b'"usage":null') + count(b'"usage": null')
        and count(b'"finish_reason"')
        == count(b'"finish_reason":null') + count(b'"finish_reason": null')
        and b'"error"' not in data
        and b"\r" not in data
    )


class _Shape(NamedTuple):
    """What stands before and after the text of a plain event.

    Attributes:
        chunk_tail: `tail` at the end of a chunk of HTTP/1.1.
        head_bytes, both_bytes: lengths of `head`, and of `head` and `tail`.
    """

    head: bytes
    tail: bytes
    chunk_tail: bytes
    head_bytes: int
    both_bytes: int


def _has_shape(data: bytes, shape: _Shape) -> bool:
    """Whether there is a plain event again, with other plain text.

    Nearly all frames are: so they need not be parsed.
    """
    return (
        data.startswith(shape.head)
        and data.endswith(shape.tail)
        and len(data) >= shape.both_bytes
        and not data[shape.head_bytes : -len(shape.tail)].translate(None, _TEXT)
    )


def _shape_of(data: bytes) -> _Shape | None:
    """What stands before and after the content of a plain event; None if there is no saying."""
    begin = data.find(_CONTENT) + len(_CONTENT)
    end = data.find(b'"', begin)
    if begin < len(_CONTENT) or end == begin or data.count(b"\n\n") > 1:
        return None  # beside an empty content there may be another kind of it
    if data[begin:end].translate(None, _TEXT):
        return None
    head, tail = data[:begin], data[end:]
    return _Shape(head, tail, tail + b"\r\n", begin, len(head) + len(tail))


def _is_json_throughout(data: bytes) -> bool:
    """Whether `data` is whole events, each one `data` line with a JSON object in it."""
    if not data.endswith(b"}\n\n"):
        return False
    try:
        for event in data[:-2].split(b"\n\n"):
            if not event.startswith(b"data: {"):
                return False
            _check_json(event[6:])
    except UNREADABLE:
        return False
    return True


def _data_of(event: bytes) -> bytes | None:
    """The joined `data` lines of an event; None when it has none."""
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    lines = [
        line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")
    ]
    return b"\n".join(lines) if lines else None
