"""What a fault provider does, as data: every field can be written in JSON or TOML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from trimtab.errors import UsageError

__all__ = ["Behaviour", "Cut", "Event", "Script", "ToolCall", "as_script", "load_script"]

Cut = Literal["close", "reset", "stop", "end"]
"""How an answer is broken off: FIN, RST, silence on an open connection, or an orderly HTTP end."""


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool call of the answer; a stream carries its arguments in pieces, each counted as a token.

    Attributes:
        name: the tool.
        arguments: JSON text as the model would write it; may be invalid on purpose.
        pieces: number of pieces that a stream cuts `arguments` into.
        call_id: the `id` of the call.
    """

    name: str
    arguments: str = '{"city":"Zürich"}'
    pieces: int = 4
    call_id: str = "call_1"


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event put into a stream: an error object, something that is not JSON, anything.

    Attributes:
        at: comes before the event of this index; 0 is the first (the role), `[DONE]` counts too.
        data: text sent as it is, or a value sent as JSON.
        event: SSE event name, "" for none.
        replace: takes the place of the event at `at`.
        last: nothing follows it; the body ends in good order.
    """

    at: int
    data: Any
    event: str = ""
    replace: bool = False
    last: bool = False


class Behaviour(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One answer. The default is a healthy one of 12 tokens.

    Attributes:
        times: number of consecutive calls it answers before the next behaviour's turn.
        for_s: answers every call in so many seconds after its first, instead of `times`.
        status: HTTP status; from 300 on the answer is a plain error body, even for a stream.
        headers: added to the usual ones, or in their place; lower-case names.
        request_id: value of `x-request-id`; None makes one that is unique, "" sends none.
        redirect: target of a redirect, with status 307 unless `status` says another.
        header_padding_bytes: so many bytes of useless header lines.
        error: error object of a plain body; goes with any status, 200 too.
        body: exact text of a plain body.
        raw: exact bytes of the whole answer, as Latin-1 text; the connection is closed after it.
        headers_after_s: wait before the first byte.
        first_token_after_s: wait between the headers and the body.
        role_first: the stream's first event (the role) does not wait for `first_token_after_s`.
        token_every_s: wait between the tokens of a stream.
        end_after_s: wait between the last event of a stream and the end of the body.
        stall_after_tokens: silence after so many tokens; None for none.
        stall_s: length of that silence in seconds.
        cut: how the answer breaks off; None if it does not.
        cut_after_tokens: where; 0 is after the headers, None before any byte.
        tokens: output tokens of each choice.
        token_padding_bytes: the first token is longer by so many bytes.
        prefill: what becomes of a request that ends in an assistant message: its words are gone on
            with, or it is refused with 400.
        honours_max_tokens: stops at the request's limit with finish reason "length".
        text: content instead of the usual words; cut into `tokens` pieces.
        tool_calls: sent instead of the usual words.
        choices: number of choices; None obeys the request's `n`.
        served_model: the model that the answer names; "" for the one asked for.
        finish_reason: "" for "stop", "length" or "tool_calls", whichever is right.
        usage: exactly this usage object; None for a right one.
        report_usage: "asked" is OpenAI's rule (streams must ask), "each_chunk" is cumulative.
        events: events put into the stream.
        omit_finish: no finish reason is sent.
        omit_done: `[DONE]` is not sent.
        line_ending: of the stream's lines.
        comment: a comment sent before each event; None for none.
        multiline_data: the JSON of each event goes over several `data:` lines.
        segment_bytes: largest TCP segment; 0 leaves it to the kernel.
        content_length_error: added to the true Content-Length; the connection is closed after it.
        until_close: no length and no chunks; the end of the connection ends the body.
        close_after: closes the connection after the answer without having said so.
    """

    times: int = 1
    for_s: float | None = None
    status: int = 200
    headers: dict[str, str] = {}
    request_id: str | None = None
    redirect: str = ""
    header_padding_bytes: int = 0
    error: Any = None
    body: str | None = None
    raw: str | None = None
    headers_after_s: float = 0.0
    first_token_after_s: float = 0.0
    role_first: bool = False
    token_every_s: float = 0.0
    end_after_s: float = 0.0
    stall_after_tokens: int | None = None
    stall_s: float = 0.0
    cut: Cut | None = None
    cut_after_tokens: int | None = None
    tokens: int = 12
    token_padding_bytes: int = 0
    prefill: Literal["continue", "refuse"] = "continue"
    honours_max_tokens: bool = True
    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    choices: int | None = None
    served_model: str = ""
    finish_reason: str = ""
    usage: dict[str, Any] | None = None
    report_usage: Literal["asked", "always", "never", "each_chunk"] = "asked"
    events: tuple[Event, ...] = ()
    omit_finish: bool = False
    omit_done: bool = False
    line_ending: Literal["\n", "\r\n", "\r"] = "\n"
    comment: str | None = None
    multiline_data: bool = False
    segment_bytes: int = 0
    content_length_error: int = 0
    until_close: bool = False
    close_after: bool = False


class Script(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Behaviours for consecutive calls. The last one of each list repeats.

    Attributes:
        calls: for requests that nothing below claims.
        models: by the requested model's name, each counted on its own.
        named: for requests whose model is `fault:<name>`; looked up before the shipped `FAULTS`.
    """

    calls: tuple[Behaviour, ...] = (Behaviour(),)
    models: dict[str, tuple[Behaviour, ...]] = {}
    named: dict[str, tuple[Behaviour, ...]] = {}

    def __post_init__(self) -> None:
        if not all((self.calls, *self.models.values(), *self.named.values())):
            raise UsageError(
                "A script has an empty list of behaviours. Write [{}] for a healthy one."
            )


def as_script(source: Script | Behaviour | Sequence[Behaviour] | None) -> Script:
    """A script from one behaviour, several for consecutive calls, or None for a healthy one."""
    if isinstance(source, Script):
        return source
    if source is None:
        return Script()
    calls = (source,) if isinstance(source, Behaviour) else tuple(source)
    return Script(calls=calls)


def load_script(path: Path) -> Script:
    """Read a script from a `.json` or `.toml` file; JSON may also be a bare list of behaviours.

    Raises:
        UsageError: the file cannot be read, or is not a script; names the field.
    """
    decode = msgspec.toml.decode if path.suffix == ".toml" else msgspec.json.decode
    try:
        data: object = decode(path.read_bytes())
        return msgspec.convert({"calls": data} if isinstance(data, list) else data, Script)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(
            f"{path} is not a fault script: {error}. See docs/fault-provider.md."
        ) from error
