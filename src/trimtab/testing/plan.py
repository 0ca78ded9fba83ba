"""A behaviour as steps on the wire: wait, send these bytes, perhaps break off."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from trimtab.testing.answer import CALL_NUMBER, Answer, Ask
from trimtab.testing.script import Behaviour, Cut, Event

__all__ = ["Plan", "Step", "plain_reply", "plan_answer"]

_DEFAULT_ERROR_STATUS = 300  # from here on an answer is an error body
_PREPARED_TOKENS = 4096  # longer streams are made while they run
_PADDING_LINE = b"x-padding: " + b"p" * 1011 + b"\r\n"
_CHUNKED_END = b"0\r\n\r\n"
# As Claude 4.6 and later answer.
_REFUSES_PREFILL = Behaviour(
    status=400,
    error={
        "message": "This model does not support assistant message prefill. "
        "The conversation must end with a user message.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": None,
    },
)


class Step(NamedTuple):
    """One move of an answer.

    Attributes:
        data: bytes to send.
        wait_s: silence before them.
        tokens: output tokens in them.
        usage: usage object that is on the wire with them.
        cut: the answer breaks off after them.
    """

    data: bytes
    wait_s: float = 0.0
    tokens: int = 0
    usage: dict[str, Any] | None = None
    cut: Cut | None = None


class Plan(NamedTuple):
    """An answer ready to be sent.

    Attributes:
        steps: all moves; an iterator that serves once where `reusable` is false.
        reusable: the same plan may answer another call.
        whole: all bytes at once, where nothing waits, breaks off or cuts segments; else b"".
        tokens: output tokens in `whole`.
        usage: usage object in `whole`.
    """

    steps: Iterable[Step]
    reusable: bool
    whole: bytes = b""
    tokens: int = 0
    usage: dict[str, Any] | None = None


def plan_answer(behaviour: Behaviour, ask: Ask, seed: int) -> Plan:
    """Everything that answering `ask` takes."""
    if ask.prefill and behaviour.prefill == "refuse":
        behaviour = _REFUSES_PREFILL
    steps = _steps(behaviour, Answer(behaviour, ask, seed), streamed=ask.streamed)
    if behaviour.tokens > _PREPARED_TOKENS or behaviour.header_padding_bytes:
        return Plan(steps, reusable=False)
    prepared = tuple(steps)
    if behaviour.segment_bytes or any(step.wait_s or step.cut for step in prepared):
        return Plan(prepared, reusable=True)
    usages = [step.usage for step in prepared if step.usage is not None]
    return Plan(
        prepared,
        reusable=True,
        whole=b"".join(step.data for step in prepared),
        tokens=sum(step.tokens for step in prepared),
        usage=usages[-1] if usages else None,
    )


def plain_reply(status: int, value: object) -> bytes:
    """A whole JSON answer."""
    body = msgspec.json.encode(value)
    head = f"{_status_line(status)}content-type: application/json\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def _steps(behaviour: Behaviour, answer: Answer, *, streamed: bool) -> Iterator[Step]:
    if behaviour.cut is not None and behaviour.cut_after_tokens is None:
        yield Step(b"", behaviour.headers_after_s, cut=behaviour.cut)
    elif behaviour.raw is not None:
        yield Step(behaviour.raw.encode("latin-1"), behaviour.headers_after_s)
    elif (scripted := _scripted_body(behaviour)) is not None:
        yield from _plain_steps(behaviour, Step(scripted))
    elif streamed:
        yield from _stream_steps(behaviour, answer)
    else:
        value = answer.plain()
        body = Step(
            msgspec.json.encode(value), tokens=answer.total_tokens, usage=value.get("usage")
        )
        yield from _plain_steps(behaviour, body)


def _scripted_body(behaviour: Behaviour) -> bytes | None:
    if behaviour.body is not None:
        return behaviour.body.encode()
    if behaviour.redirect:
        return b""
    if behaviour.error is not None:
        return msgspec.json.encode({"error": behaviour.error})
    if behaviour.status >= _DEFAULT_ERROR_STATUS:
        message = f"scripted {behaviour.status}"
        error = {"message": message, "type": "scripted_fault", "param": None, "code": None}
        return msgspec.json.encode({"error": error})
    return None


# ------------------------------------------------------------------ plain bodies


def _plain_steps(behaviour: Behaviour, whole: Step) -> Iterator[Step]:
    body = whole.data
    framing = f"content-length: {len(body) + behaviour.content_length_error}\r\n"
    yield from _head(behaviour, "application/json", "" if behaviour.until_close else framing)
    sent, wait_s = 0, behaviour.first_token_after_s
    if behaviour.stall_after_tokens is not None:
        sent = _offset(whole, behaviour.stall_after_tokens)
        yield Step(body[:sent], wait_s)
        wait_s = behaviour.stall_s
    if behaviour.cut is None:
        yield whole._replace(data=body[sent:], wait_s=wait_s)
        return
    tokens = min(behaviour.cut_after_tokens or 0, whole.tokens)
    offset = _offset(whole, tokens)
    yield Step(body[sent:offset], wait_s, tokens=tokens, cut=behaviour.cut)


def _offset(whole: Step, after_tokens: int) -> int:
    """Where a plain body is interrupted after so many of its tokens; before its last byte."""
    size = len(whole.data)
    return max(0, min(size * after_tokens // max(1, whole.tokens), size - 1))


# ------------------------------------------------------------------ streams


def _stream_steps(behaviour: Behaviour, answer: Answer) -> Iterator[Step]:
    body = _interrupted(behaviour, _paced(behaviour, _events(behaviour, answer)))
    if behaviour.end_after_s:
        body = chain(body, [Step(b"", behaviour.end_after_s)])
    framing = "transfer-encoding: chunked\r\n"
    if behaviour.content_length_error:
        known = tuple(body)
        size = sum(len(step.data) for step in known) + behaviour.content_length_error
        body, framing = iter(known), f"content-length: {size}\r\n"
    elif behaviour.until_close:
        framing = ""
    yield from _head(behaviour, "text/event-stream; charset=utf-8", framing)
    yield from _chunked(body) if framing.startswith("transfer") else body


def _events(behaviour: Behaviour, answer: Answer) -> Iterator[Step]:
    """The framed events with the inserted ones among them; no waits yet."""
    inserted: dict[int, list[Event]] = {}
    for event in behaviour.events:
        inserted.setdefault(event.at, []).append(event)
    for place, step in enumerate(_usual_events(behaviour, answer)):
        here = inserted.get(place, ())
        for event in here:
            yield Step(_insert(behaviour, event))
            if event.last:
                return
        if not any(event.replace for event in here):
            yield step


def _usual_events(behaviour: Behaviour, answer: Answer) -> Iterator[Step]:
    for chunk in answer.chunks():
        payload = msgspec.json.encode(chunk.value)
        if behaviour.multiline_data:
            payload = msgspec.json.format(payload, indent=1)
        yield Step(_frame(behaviour, payload), tokens=chunk.tokens, usage=chunk.usage)
    if not behaviour.omit_done:
        yield Step(_frame(behaviour, b"[DONE]"))


def _paced(behaviour: Behaviour, events: Iterator[Step]) -> Iterator[Step]:
    """Waits before the first token and between tokens."""
    first_wait_s, begun = behaviour.first_token_after_s, False
    for place, step in enumerate(events):
        wait_s = 0.0
        if first_wait_s and not (behaviour.role_first and place == 0):
            wait_s, first_wait_s = first_wait_s, 0.0
        if step.tokens:
            wait_s += behaviour.token_every_s if begun else 0.0
            begun = True
        yield step._replace(wait_s=wait_s) if wait_s else step


def _interrupted(behaviour: Behaviour, events: Iterator[Step]) -> Iterator[Step]:
    """The stall and the cut. The inserted events of index 0 come before a cut at 0 tokens."""
    tokens, stall_at = 0, behaviour.stall_after_tokens
    silent_s = 0.0
    for step in events:
        if tokens == stall_at:
            silent_s, stall_at = behaviour.stall_s, None
        if behaviour.cut is not None and tokens == behaviour.cut_after_tokens:
            yield Step(b"", silent_s, cut=behaviour.cut)
            return
        yield step._replace(wait_s=step.wait_s + silent_s) if silent_s else step
        silent_s = 0.0
        tokens += step.tokens


def _insert(behaviour: Behaviour, event: Event) -> bytes:
    payload = (
        event.data.encode() if isinstance(event.data, str) else msgspec.json.encode(event.data)
    )
    return _frame(behaviour, payload, event.event)


def _frame(behaviour: Behaviour, payload: bytes, event: str = "") -> bytes:
    lines = [b"data: " + line for line in payload.split(b"\n")]
    if event:
        lines.insert(0, b"event: " + event.encode())
    if behaviour.comment is not None:
        lines[:0] = [b": " + behaviour.comment.encode(), b""]
    ending = behaviour.line_ending.encode()
    return ending.join([*lines, b"", b""])


def _chunked(steps: Iterator[Step]) -> Iterator[Step]:
    cut = None
    for step in steps:
        cut = step.cut
        data = b"%x\r\n%b\r\n" % (len(step.data), step.data) if step.data else b""
        yield step._replace(data=data + _CHUNKED_END if cut == "end" else data)
    if cut is None:
        yield Step(_CHUNKED_END)


# ------------------------------------------------------------------ heads


def _head(behaviour: Behaviour, content_type: str, framing: str) -> Iterator[Step]:
    status = behaviour.status
    if behaviour.redirect and status < _DEFAULT_ERROR_STATUS:
        status = HTTPStatus.TEMPORARY_REDIRECT
    usual = {"content-type": content_type}
    request_id = behaviour.request_id
    usual["x-request-id"] = f"req_{CALL_NUMBER.decode()}" if request_id is None else request_id
    usual["location"] = behaviour.redirect
    fields = {**usual, **behaviour.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    yield Step((_status_line(status) + lines).encode(), behaviour.headers_after_s)
    for _ in range(behaviour.header_padding_bytes // len(_PADDING_LINE)):
        yield Step(_PADDING_LINE)
    yield Step(f"{framing}\r\n".encode())


def _status_line(status: int) -> str:
    known = status in HTTPStatus.__members__.values()
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase if known else 'Unknown'}\r\n"
