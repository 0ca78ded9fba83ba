"""Answers of OpenAI's chat completions: content, finish, errors, whole and in chunks.

Source of the format: OpenAI API reference, "The chat completion object" and "The chat completion
chunk object"; deviations of compatible servers are named where they are read.
"""

from typing import NamedTuple

import msgspec

from trimtab.providers.usage.openai_chat import Said, SaidOfChoice, UsualUsage
from trimtab.providers.usage.reading import UNREADABLE, exact_number

__all__ = ["UNREADABLE", "Answer", "Chunk", "WireError", "read_answer", "read_chunk", "read_error"]


class Choice(SaidOfChoice, frozen=True):
    """One choice, of an answer or of a chunk."""

    delta: dict[str, msgspec.Raw] | None = None

    @property
    def has_content(self) -> bool:
        """Whether the delta carries anything that a person or program would see.

        The first delta of a stream usually names the role only; that is no token yet.
        """
        return any(
            name != "role" and bytes(value) not in _EMPTY
            for name, value in (self.delta or {}).items()
        )

    @property
    def content_bytes(self) -> int:
        """Bytes of the JSON of what `has_content` looks for."""
        return sum(
            len(bytes(value)) for name, value in (self.delta or {}).items() if name != "role"
        )


_EMPTY = frozenset((b"null", b'""', b"[]", b"{}"))


class Answer(Said, frozen=True, kw_only=True):
    """A whole answer."""

    choices: tuple[Choice, ...]


class _UsualAnswer(Answer, frozen=True, kw_only=True):
    usage: UsualUsage | None = None


class Chunk(Said, frozen=True, kw_only=True):
    """One chunk of a stream. vLLM and others send errors in the place of a chunk."""

    choices: tuple[Choice, ...] = ()
    error: msgspec.Raw = msgspec.Raw()

    @property
    def is_error(self) -> bool:
        """An error in the place of a chunk."""
        return bytes(self.error) not in {b"", b"null"}

    @property
    def is_usage_only(self) -> bool:
        """The extra chunk that `include_usage` asks for."""
        return self.usage is not None and not self.choices


class WireError(NamedTuple):
    """A provider's error.

    Attributes:
        word: its code, else its type: what a program tells it by.
        body: the whole of it in OpenAI's shape; the provider's own bytes where they have it.
    """

    word: str
    body: bytes


class _Error(msgspec.Struct, frozen=True):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _ErrorBody(msgspec.Struct, frozen=True):
    """OpenAI's shape; a bare string, as Ollama sends; vLLM's flat object; FastAPI's `detail`."""

    error: _Error | str | None = None
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    detail: str | None = None


_answer_decoder = msgspec.json.Decoder(Answer, float_hook=exact_number)  # fractions stay exact
_usual_decoder = msgspec.json.Decoder(_UsualAnswer, float_hook=exact_number)
_chunk_decoder = msgspec.json.Decoder(Chunk, float_hook=exact_number)
_error_decoder = msgspec.json.Decoder(_ErrorBody)


def read_answer(body: bytes) -> Answer | None:
    """The answer in `body`, or None when it is not one."""
    try:
        return _usual_decoder.decode(body)  # by its types, in C
    except UNREADABLE:
        pass  # an odd usage is no reason to refuse a good answer
    try:
        return _answer_decoder.decode(body)
    except UNREADABLE:
        return None


def read_chunk(data: bytes) -> Chunk | None:
    """The chunk in `data`, or None when it is not JSON or not of a chunk's shape."""
    try:
        return _chunk_decoder.decode(data)
    except UNREADABLE:
        return None


def read_error(body: bytes) -> WireError | None:
    """The error in `body`, or None when there is none to be understood.

    Its texts are the provider's: data for the caller, never for our logs.
    """
    try:
        read = _error_decoder.decode(body)
    except UNREADABLE:
        return None
    if isinstance(read.error, _Error):
        return WireError(str(read.error.code or read.error.type or ""), body)
    message = read.error or read.message or read.detail
    if message is None:
        return None
    shaped = {"message": message, "type": read.type, "param": None, "code": read.code}
    return WireError(str(read.code or read.type or ""), msgspec.json.encode({"error": shaped}))
