"""What a caller heard: the bytes of one answer, and what they say."""

from functools import cached_property
from typing import Any, cast

import msgspec

__all__ = ["Heard"]

_DONE = b"[DONE]"
_CONTINUED = "x-trimtab-continued-by:"


class Heard:
    """One answer as it comes. What it says is worked out when it is asked for first, at the end.

    Attributes:
        begun_s: monotonic time at which the request was sent.
        ended_s: when the last byte, or the end of the connection, came.
        status: HTTP status, 0 before the headers.
        headers: names in lower case.
        body: what has come of it, without the framing of HTTP.
        whole: it is complete by the rules of HTTP.
    """

    def __init__(self, begun_s: float) -> None:
        self.begun_s = begun_s
        self.ended_s = begun_s
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.whole = False

    @property
    def took_s(self) -> float:
        """Seconds from the request to the end."""
        return self.ended_s - self.begun_s

    @property
    def tokens(self) -> int:
        """Events with content that have come so far."""
        return self.body.count(b'"content":"') - self.body.count(b'"content":""')

    @cached_property
    def streamed(self) -> bool:
        """It is a stream of events."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @cached_property
    def events(self) -> list[bytes]:
        """The data of each event of a stream, in order."""
        found: list[bytes] = []
        for event in bytes(self.body).split(b"\n\n"):
            lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
            if lines:
                found.append(b"\n".join(lines))
        return found

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects of a stream, or the one of a whole answer."""
        texts = self.events if self.streamed else [bytes(self.body)]
        objects: list[dict[str, Any]] = []
        for text in texts:
            try:
                value: object = msgspec.json.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if isinstance(value, dict):
                objects.append(cast("dict[str, Any]", value))
        return objects

    @cached_property
    def error(self) -> dict[str, Any] | None:
        """The error object, if it holds one."""
        return next((value["error"] for value in self.objects if "error" in value), None)

    @property
    def seems_complete(self) -> bool:
        """A caller takes it for a good and finished answer."""
        if self.status != 200 or not self.whole or self.error is not None:
            return False
        return not self.streamed or (bool(self.events) and self.events[-1] == _DONE)

    @property
    def fails_clearly(self) -> bool:
        """A caller cannot miss that it failed: an error with a message, and no terminator."""
        error = self.error
        said = error is not None and bool(error.get("message")) and _DONE not in self.events
        return said and self.whole and (self.status >= 400 or self.streamed)

    @cached_property
    def text(self) -> str:
        """The content of the first choice."""
        pieces: list[str] = []
        for value in self.objects:
            choices: list[dict[str, Any]] = value.get("choices") or []
            for choice in choices:
                message: dict[str, Any] = choice.get("delta") or choice.get("message") or {}
                if choice.get("index", 0) == 0:
                    pieces.append(message.get("content") or "")
        return "".join(pieces)

    @property
    def usage(self) -> dict[str, Any] | None:
        """The last usage object."""
        return next((v["usage"] for v in reversed(self.objects) if v.get("usage")), None)

    @property
    def models(self) -> list[str]:
        """The models that it names, each once, in order."""
        return list(dict.fromkeys(v["model"] for v in self.objects if v.get("model")))

    @property
    def continued_by(self) -> list[str]:
        """`provider:model` of those who went on with it, from its comments."""
        lines = self.body.decode(errors="replace").splitlines()
        comments = [line[1:].strip() for line in lines if line.startswith(":")]
        return [c.removeprefix(_CONTINUED).strip() for c in comments if c.startswith(_CONTINUED)]
