"""Requests of OpenAI's chat completions: read a few fields, forward the caller's own bytes.

Source of the format: OpenAI API reference, "Create chat completion".
"""

import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from trimtab.errors import MalformedRequest

__all__ = [
    "PROMPT_PREFIX",
    "ChatRequest",
    "PromptCall",
    "filled_body",
    "limited_body",
    "parse_request",
    "rewritten",
    "upstream_body",
    "with_messages",
]

PROMPT_PREFIX = "prompt:"
"""What a model's name begins with where it is a prompt's."""


_NO_MESSAGES = msgspec.Raw(b"")


class StreamOptions(msgspec.Struct, frozen=True):
    """The part of `stream_options` that matters here."""

    include_usage: bool | None = None


class PromptCall(msgspec.Struct, frozen=True):
    """`prompt`, with the fields that OpenAI's Responses API has for it."""

    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


class ChatRequest(msgspec.Struct, frozen=True, gc=False):
    """The fields that the gateway reads; all others pass through untouched and unread.

    Attributes:
        model: "" only with a prompt, which has its own.
        messages: raw JSON, only checked to be an array; empty only with a prompt.
        prompt: what is to be rendered, an extension of ours; or a text, as of OpenAI's older
            completions, which is the provider's affair.
    """

    model: str = ""
    messages: msgspec.Raw = _NO_MESSAGES
    prompt: PromptCall | str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    max_tokens: int | UnsetType | None = UNSET
    max_completion_tokens: int | UnsetType | None = UNSET
    service_tier: str | None = None
    reasoning_effort: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def prompt_call(self) -> PromptCall | None:
        """What is to be rendered, as `prompt` says it."""
        return self.prompt if isinstance(self.prompt, PromptCall) else None

    @property
    def names_prompt(self) -> bool:
        """Whether there is something to render."""
        return isinstance(self.prompt, PromptCall) or self.model.startswith(PROMPT_PREFIX)

    @property
    def choices(self) -> int:
        """How many answers are asked for; at least 1."""
        n = self.n
        return n if n is not None and n > 1 else 1

    @property
    def wants_usage(self) -> bool:
        """Whether the caller of a stream asked for the usage chunk."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)

    @property
    def own_output_limit(self) -> int | None:
        """Output tokens that the request allows, over all choices; None where it does not say.

        Of two limits the larger one counts, since a provider may know only that. What is not a
        number of tokens says nothing: there are servers to whom -1 means without end.
        """
        if not (self.max_completion_tokens or self.max_tokens):
            return None
        limit = max(self.max_completion_tokens or 0, self.max_tokens or 0)
        return limit * self.choices if limit > 0 else None

    @property
    def limits(self) -> dict[str, int]:
        """The limits on output of each choice, by the name of their field."""
        named = {
            "max_completion_tokens": self.max_completion_tokens,
            "max_tokens": self.max_tokens,
        }
        return {name: limit for name, limit in named.items() if isinstance(limit, int)}

    def output_limit(self, default: int) -> int:
        """The same, with `default` for each choice where the request does not say."""
        own = self.own_output_limit
        return default * self.choices if own is None else own

    @property
    def end_user(self) -> str:
        """The application's end user, as OpenAI's two fields for it tell."""
        return self.safety_identifier or self.user or ""

    @property
    def session(self) -> str:
        """The session, from `metadata.session_id`."""
        if not self.metadata:
            return ""
        session = self.metadata.get("session_id")
        return session if isinstance(session, str) else ""


_decoder = msgspec.json.Decoder(ChatRequest)
_fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode
_BRACKET = ord("[")
_MODEL = b'"model"'
_USAGE_OPTION = b',"stream_options":{"include_usage":true}}'


def parse_request(body: bytes) -> ChatRequest:
    """Read the fields that matter.

    Raises:
        MalformedRequest: not JSON, a field missing or of the wrong type. The message names the
            field and never quotes the caller's text.
    """
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        problem, field = _field_of(str(error))
        raise MalformedRequest(
            f"The request body is not a chat completion request: {problem}.", param=field
        ) from None
    except RecursionError:
        raise MalformedRequest("The request body is nested too deeply. Flatten it.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # msgspec's message carries an offset, not the text.
        raise MalformedRequest(
            f"The request body is not valid JSON: {error}. Send one JSON object."
        ) from None
    messages = memoryview(request.messages)
    if not messages or not request.model:
        _check_names_prompt(request)
    if messages and messages[0] != _BRACKET:
        raise MalformedRequest("`messages` must be an array of messages.", param="messages")
    return request


def _check_names_prompt(request: ChatRequest) -> None:
    """A model and messages may be missing only where a prompt has them."""
    if request.names_prompt:
        return
    field = "messages" if request.model else "model"
    raise MalformedRequest(
        "The request body is not a chat completion request: Object missing required field "
        f"`{field}`.",
        param=field,
    )


def _field_of(problem: str) -> tuple[str, str | None]:
    """Split msgspec's "Expected `str`, got `int` - at `$.model`" into what and where."""
    what, _, where = problem.partition(" - at ")
    field = where.strip("`").removeprefix("$").removeprefix(".")
    if field:
        return f"{what} at `{field}`", field
    missing = what.partition("required field `")[2].partition("`")[0]
    return what, missing or None


def upstream_body(body: bytes, request: ChatRequest, model: str) -> bytes:
    """The body to send on: the caller's bytes with the model's name and the wish for usage put in.

    Number precision, key order and unknown fields survive, because nothing else is rewritten.
    """
    if request.model != model:
        body = _with_model(body, request.model, model)
    if request.stream and not request.wants_usage:
        body = _with_usage_option(body, request)
    return body


def filled_body(
    body: bytes, *, put: dict[str, bytes], defaults: dict[str, bytes], drop: frozenset[str]
) -> bytes:
    """The body with some fields taken out, some put in, and some put in where they are not there.

    The other values keep their bytes.
    """
    fields = _fields_decoder.decode(body)
    kept = {name: value for name, value in fields.items() if name not in drop}
    raw = msgspec.Raw
    below = {name: raw(value) for name, value in defaults.items()}
    above = {name: raw(value) for name, value in put.items()}
    return _encode({**below, **kept, **above})


def with_messages(body: bytes, more: list[dict[str, Any]]) -> bytes:
    """The request with further messages at the end; those that are there keep their bytes."""
    fields = _fields_decoder.decode(body)
    messages: list[Any] = msgspec.json.decode(fields["messages"], type=list[msgspec.Raw])
    return rewritten(body, {"messages": _encode([*messages, *more])})


def limited_body(body: bytes, request: ChatRequest, limit: int, *, field: str) -> bytes:
    """The body with a limit on output, which takes the place of a larger one.

    Args:
        body: what would be sent otherwise.
        request: what the caller asked for.
        limit: tokens over all choices.
        field: name of the provider's field for it, where the request has none.
    """
    each = max(limit // request.choices, 1)
    if request.max_tokens is UNSET and request.max_completion_tokens is UNSET:
        return b'%b,"%b":%d}' % (body.rstrip()[:-1], field.encode(), each)
    return rewritten(body, dict.fromkeys(request.limits or (field,), b"%d" % each))


def _with_model(body: bytes, old: str, new: str) -> bytes:
    # An unescaped `"model"` cannot occur inside a JSON string, so a single hit is the field itself.
    if body.count(_MODEL) == 1:
        found = _model_field(old).match(body, body.index(_MODEL))
        if found is not None:
            begin, end = found.span(1)
            return b"".join((body[:begin], _encode(new), body[end:]))
    return rewritten(body, {"model": _encode(new)})


@lru_cache(256)  # the names of routes and models are few
def _model_field(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'"model"\s*:\s*(' + re.escape(_encode(name)) + rb")")


def _with_usage_option(body: bytes, request: ChatRequest) -> bytes:
    if request.stream_options is None and b'"stream_options"' not in body:
        return body.rstrip()[:-1] + _USAGE_OPTION
    fields = _fields_decoder.decode(body)
    raw = fields.get("stream_options", msgspec.Raw(b"null"))
    options: dict[str, Any] = msgspec.json.decode(raw) or {}
    options["include_usage"] = True
    return rewritten(body, {"stream_options": _encode(options)})


def rewritten(body: bytes, changes: dict[str, bytes]) -> bytes:
    """The same object with some values replaced; the other values keep their bytes."""
    fields = _fields_decoder.decode(body)
    fields.update({name: msgspec.Raw(value) for name, value in changes.items()})
    return _encode(fields)
