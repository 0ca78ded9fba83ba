"""What the caller is told beside the answer: headers, and errors inside a stream."""

from functools import lru_cache
from math import ceil

import msgspec

from trimtab.errors import BudgetExceeded, MethodNotAllowed, ProviderRefused, TrimtabError, reply_of
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.gateway.outlet import header_lines
from trimtab.gateway.response_cache import Found
from trimtab.types.records import Cause, PromptUse, Settle
from trimtab.types.refs import ModelRef

__all__ = [
    "error_body",
    "error_headers",
    "prompt_header",
    "replay_headers",
    "stream_error",
    "stream_headers",
    "taken_over",
    "whole_headers",
]

_WHOLE_KIND = b"content-type: application/json\r\n"
_STREAM_KIND = (
    b"content-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache, no-transform\r\n"
    b"x-accel-buffering: no\r\n"  # proxies in front must not collect a stream
)
_STREAM_LINES = _STREAM_KIND + b"%bx-trimtab-attempts: %d\r\n"
_WHOLE_LINES = _WHOLE_KIND + b"%bx-trimtab-attempts: %d\r\nx-trimtab-cost-nanousd: %d\r\n"
_UPSTREAM_ID = b"x-trimtab-provider-request-id: %b\r\n"


def stream_headers(call: Call, attempt: Attempt, *, made: int) -> bytes:
    """Headers of a streamed answer, after `made` attempts; its cost is not known yet."""
    served = attempt.stream.served_model if attempt.stream is not None else ""
    served_by = _served_by(attempt.rung.ref, served, call.target.route)
    lines = _STREAM_LINES % (served_by, made)
    upstream_id = attempt.headers.get(b"x-request-id")
    return lines + _UPSTREAM_ID % upstream_id[:128] if upstream_id else lines


def whole_headers(call: Call, attempt: Attempt, settle: Settle, *, made: int) -> bytes:
    """Headers of an answer that is sent whole, after `made` attempts."""
    served_by = _served_by(attempt.rung.ref, settle.served_model, call.target.route)
    lines = _WHOLE_LINES % (served_by, made, settle.cost_nanousd)
    if settle.provider_request_id:
        lines += _UPSTREAM_ID % settle.provider_request_id.encode("latin-1")
    if settle.form:
        lines += b"x-trimtab-form: %b\r\n" % settle.form.encode()
    return lines


def replay_headers(call: Call, found: Found, *, cause: Cause, made: int) -> bytes:
    """Headers of an answer that is given again, after `made` attempts."""
    answer = found.answer
    ref = ModelRef(answer.provider, answer.model)
    lines = (
        _STREAM_KIND if answer.streamed else _WHOLE_KIND,
        _served_by(ref, answer.served_model, call.target.route),
        b"x-trimtab-attempts: %d\r\n" % made,
        b"x-trimtab-cache: %b\r\n" % (b"stale" if cause == "stale" else b"hit"),
        b"age: %d\r\n" % found.age_s,
        b"x-trimtab-cost-nanousd: 0\r\n",
    )
    return b"".join(lines)


def taken_over(attempt: Attempt) -> bytes:
    """A comment inside a stream: another model goes on from here."""
    return b": x-trimtab-continued-by: %b\n\n" % _value(str(attempt.rung.ref))


def prompt_header(use: PromptUse) -> bytes:
    """The version of a prompt that is rendered, as a header line."""
    return b"x-trimtab-prompt: %b\r\n" % _value(f"{use.id}@{use.version}")


@lru_cache(1024)  # the names of providers, models and routes are few
def _served_by(ref: ModelRef, served: str, route: str) -> bytes:
    """Who served it, and for which route, as header lines."""
    pairs = (
        (b"x-trimtab-provider", _value(ref.provider)),
        (b"x-trimtab-served-model", _value(served or ref.model)),
        (b"x-trimtab-route", _value(route)),
    )
    return header_lines(pairs)


def _value(text: str) -> bytes:
    """Text as a header value: what a provider wrote must not become a header of its own."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
    return text[:200].encode("ascii")


def error_body(error: TrimtabError) -> bytes:
    """The error in OpenAI's shape. A provider's own error object passes through as it came."""
    if isinstance(error, ProviderRefused) and error.body is not None:
        return error.body
    reply = reply_of(error)
    return msgspec.json.encode(
        {
            "error": {
                "message": str(error),
                "type": reply.kind,
                "param": error.param,
                "code": reply.code,
            }
        }
    )


def error_headers(error: TrimtabError) -> list[tuple[bytes, bytes]]:
    """What goes with `error_body`: its type, and when or how to try again."""
    headers = [(b"content-type", b"application/json")]
    if isinstance(error, ProviderRefused):
        headers += error.headers
        if error.remedy in {"caller", "final"}:  # SDKs try again by themselves
            headers.append((b"x-should-retry", b"false"))
    elif error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % ceil(error.retry_after_s)))
        if isinstance(error, BudgetExceeded):  # not in the seconds for which SDKs try again
            headers.append((b"x-should-retry", b"false"))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", error.allowed.encode()))
    return headers


def stream_error(error: TrimtabError) -> bytes:
    """The error as an event of a stream that has begun. No terminator follows it."""
    return b"data: " + b" ".join(error_body(error).splitlines()) + b"\n\n"
