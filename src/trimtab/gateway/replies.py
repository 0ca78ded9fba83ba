"""What the caller is told beside the answer: headers, and errors inside a stream."""

from functools import lru_cache
from math import ceil

import msgspec

from trimtab.errors import BudgetExceeded, MethodNotAllowed, ProviderRefused, TrimtabError, reply_of
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.gateway.outlet import HeaderList
from trimtab.gateway.response_cache import Found
from trimtab.types.records import Cause, PromptUse, Settle

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

_STREAM_HEADERS: HeaderList = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),  # proxies in front must not collect a stream
)


def stream_headers(call: Call, attempt: Attempt, *, made: int) -> HeaderList:
    """Headers of a streamed answer, after `made` attempts; its cost is not known yet."""
    served = attempt.stream.served_model if attempt.stream is not None else ""
    return [*_STREAM_HEADERS, *_common(call, attempt, served=served, made=made)]


def whole_headers(call: Call, attempt: Attempt, settle: Settle, *, made: int) -> HeaderList:
    """Headers of an answer that is sent whole, after `made` attempts."""
    headers = [
        (b"content-type", b"application/json"),
        *_common(call, attempt, served=settle.served_model, made=made),
        (b"x-trimtab-cost-nanousd", b"%d" % settle.cost_nanousd),
    ]
    if settle.form:
        headers.append((b"x-trimtab-form", settle.form.encode()))
    return headers


def replay_headers(call: Call, found: Found, *, cause: Cause, made: int) -> HeaderList:
    """Headers of an answer that is given again, after `made` attempts."""
    answer = found.answer
    kind = _STREAM_HEADERS if answer.streamed else [(b"content-type", b"application/json")]
    return [
        *kind,
        (b"x-trimtab-provider", _value(answer.provider)),
        (b"x-trimtab-served-model", _value(answer.served_model or answer.model)),
        (b"x-trimtab-route", _value(call.target.route)),
        (b"x-trimtab-attempts", b"%d" % made),
        (b"x-trimtab-cache", b"stale" if cause == "stale" else b"hit"),
        (b"age", b"%d" % found.age_s),
        (b"x-trimtab-cost-nanousd", b"0"),
    ]


def taken_over(attempt: Attempt) -> bytes:
    """A comment inside a stream: another model goes on from here."""
    return b": x-trimtab-continued-by: %b\n\n" % _value(str(attempt.rung.ref))


def prompt_header(use: PromptUse) -> bytes:
    """The version of a prompt that is rendered, as a header line."""
    return b"x-trimtab-prompt: %b\r\n" % _value(f"{use.id}@{use.version}")


def _common(call: Call, attempt: Attempt, *, served: str, made: int) -> HeaderList:
    ref = attempt.rung.ref
    headers = [
        (b"x-trimtab-provider", _value(ref.provider)),
        (b"x-trimtab-served-model", _value(served or ref.model)),
        (b"x-trimtab-route", _value(call.target.route)),
        (b"x-trimtab-attempts", b"%d" % made),
    ]
    upstream_id = attempt.headers.get(b"x-request-id")
    if upstream_id:
        headers.append((b"x-trimtab-provider-request-id", upstream_id[:128]))
    return headers


@lru_cache(1024)  # the names of providers, models and routes are few
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


def error_headers(error: TrimtabError) -> HeaderList:
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
