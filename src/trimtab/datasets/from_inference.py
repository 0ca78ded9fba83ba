"""A production inference -> a case, for which a person then writes what is expected."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import msgspec

from trimtab.config.schema import Recording
from trimtab.datasets.case import Case
from trimtab.datasets.recover import recover_variables
from trimtab.errors import UsageError
from trimtab.prompts.prompt import Prompt
from trimtab.store.protocol import Reader

__all__ = ["MadeCase", "RecordedInference", "Redact", "case_of_inference", "read_inference"]

_MOST_SHOWN: Final = 80
_MOST_NOTE: Final = 2_000
_DATA: Final = b"data:"
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_KEPT: Final = frozenset(("messages", "model", "prompt"))
_NOT_OF_A_CASE: Final = frozenset(
    ("metadata", "safety_identifier", "store", "stream", "stream_options", "user")
)

Redact = Callable[[str], str]
"""A text -> the same without what must not leave production."""


class RecordedInference(msgspec.Struct, frozen=True, kw_only=True):
    """What production kept of an inference.

    Attributes:
        id: `inf_...`.
        request: body as the provider got it, or as the caller sent it.
        response: whole, or as a stream.
        prompt: id of the prompt that the messages were rendered from; "" for the caller's own.
        prompt_hash: of its version.
    """

    id: str
    request: bytes
    response: bytes = b""
    prompt: str = ""
    prompt_hash: str = ""


class MadeCase(NamedTuple):
    """A case without expectations.

    Attributes:
        case: its note says what production answered.
        remarks: what of the request has no place in a case.
    """

    case: Case
    remarks: tuple[str, ...]


def read_inference(reader: Reader, inference_id: str, recording: Recording) -> RecordedInference:
    """An inference from the store.

    Args:
        reader: of the store.
        inference_id: which.
        recording: `[recording]` of the project, for the reason where there is no body.

    Raises:
        UsageError: there is no such inference, or its body was not kept.
    """
    shown = inference_id[:_MOST_SHOWN]
    event = reader.event(inference_id)
    if event is None:
        raise UsageError(
            f"There is no inference {shown!r}. Ids are in the header x-request-id of each answer "
            "and on the console; one that is under way counts when it is over."
        )
    body = reader.body(inference_id)
    if body is None:
        raise UsageError(_no_body(shown, recording))
    request, response = body
    return RecordedInference(
        id=inference_id,
        request=request,
        response=response,
        prompt=event.prompt,
        prompt_hash=event.prompt_hash,
    )


def case_of_inference(
    inference: RecordedInference,
    *,
    case_id: str,
    redact: Redact,
    prompt: Prompt | None,
    tags: Iterable[str] = (),
    cluster: str = "",
) -> MadeCase:
    """A case that asks what the inference asked.

    Args:
        inference: as production kept it.
        case_id: for the case.
        redact: what the project does with every text before it leaves production: those of the
            variables, of the messages and of the answer.
        prompt: for a suite with a prompt, the version of it that the inference was rendered from;
            None for a suite whose cases bring their own messages.
        tags: of the case.
        cluster: of the case: cases of one session or document are not independent.

    Raises:
        UsageError: the request cannot be read, belongs to another prompt than the suite, or its
            variables cannot be told.
    """
    body = _decoded(inference.request)
    if not isinstance(body, dict):
        raise UsageError(f"The request of {inference.id} is not JSON, so it cannot become a case.")
    request = cast("dict[str, Any]", body)
    asked = _asked(inference, request, prompt)
    answer = redact(_answer_text(inference.response))
    case = Case(
        id=case_id,
        variables=_redacted(asked.variables, redact),
        messages=[_redacted_message(message, redact) for message in asked.messages],
        tags=list(dict.fromkeys(tags)),
        cluster=cluster,
        note=f"Production answered: {_cut(answer)}" if answer else "",
        from_inference=inference.id,
    )
    return MadeCase(case, tuple(_remarks(request, has_prompt=prompt is not None)))


# ---------------------------------------------------------------- what was asked


class _Asked(NamedTuple):
    variables: dict[str, Any]
    messages: list[dict[str, Any]]


def _asked(
    inference: RecordedInference, request: Mapping[str, Any], prompt: Prompt | None
) -> _Asked:
    """What a case of the suite needs.

    Raises:
        UsageError: the inference does not give it.
    """
    messages = _messages(request.get("messages"))
    if prompt is None:
        if inference.prompt:
            raise UsageError(
                f"{inference.id} was rendered from the prompt {inference.prompt!r}, and the suite "
                "names no prompt. Add it to a suite of that prompt, which tries its next versions."
            )
        if not messages:
            raise UsageError(f"The request of {inference.id} has no messages to make a case of.")
        return _Asked({}, messages)
    if inference.prompt != prompt.id:
        made = f"the prompt {inference.prompt!r}" if inference.prompt else "no prompt"
        raise UsageError(
            f"{inference.id} was rendered from {made}, and the suite is about {prompt.id!r}. Add "
            "it to another suite."
        )
    call = request.get("prompt")
    if isinstance(call, dict):  # as the caller sent it
        variables: object = cast("dict[str, Any]", call).get("variables")
        sent = cast("dict[str, Any]", variables) if isinstance(variables, dict) else {}
        return _Asked(sent, messages)
    recovered = recover_variables(prompt, messages)
    if recovered is None:
        raise UsageError(
            f"The variables of {inference.id} cannot be told from its messages: numbers, lists "
            f"and what the prompt {prompt.id!r} changes or leaves out cannot. Write the case by "
            "hand; the messages are on the console."
        )
    return _Asked(recovered.variables, recovered.messages)


def _messages(value: object) -> list[dict[str, Any]]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def _remarks(request: Mapping[str, Any], *, has_prompt: bool) -> Iterable[str]:
    """What else was asked for, and is a matter of the setup and not of the case."""
    others = sorted(request.keys() - _KEPT - _NOT_OF_A_CASE)
    if others and not has_prompt:
        yield (
            f"the request also had {', '.join(name[:40] for name in others)}; a case has no place "
            "for it, so a run asks without it"
        )


def _redacted_message(message: Mapping[str, Any], redact: Redact) -> dict[str, Any]:
    """All texts of a message but the word that says whose it is."""
    return {key: one if key == "role" else _redacted(one, redact) for key, one in message.items()}


def _redacted(value: Any, redact: Redact) -> Any:  # noqa: ANN401 - a JSON value of any kind
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return {
            key: inner if key == "type" else _redacted(inner, redact)
            for key, inner in named.items()
        }
    if isinstance(value, list):
        return [_redacted(inner, redact) for inner in cast("list[Any]", value)]
    return value


# ---------------------------------------------------------------- what was answered


def _answer_text(response: bytes) -> str:
    """The text of the first choice, whole or streamed; "" where there is none."""
    whole = _decoded(response)
    values = [whole] if whole is not None else [_decoded(data) for data in _events(response)]
    return "".join(_text_in(cast("dict[str, Any]", one)) for one in values if isinstance(one, dict))


def _text_in(value: Mapping[str, Any]) -> str:
    """Of an answer or of a chunk."""
    texts: list[str] = []
    for place, choice in enumerate(_messages(value.get("choices"))):
        said = choice.get("message") or choice.get("delta")
        content = cast("dict[str, Any]", said).get("content") if isinstance(said, dict) else None
        if choice.get("index", place) == 0 and isinstance(content, str):
            texts.append(content)
    return "".join(texts)


def _events(stream: bytes) -> Sequence[bytes]:
    return [
        line.removeprefix(_DATA).strip() for line in stream.splitlines() if line.startswith(_DATA)
    ]


def _decoded(data: bytes) -> object:
    """A JSON value; None for anything else."""
    try:
        return msgspec.json.decode(data)
    except _UNREADABLE:
        return None


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_NOTE else f"{text[:_MOST_NOTE]}..."


def _no_body(shown: str, recording: Recording) -> str:
    if recording.bodies == "off":
        return (
            f"What was said in {shown} was not kept: trimtab.toml has [recording] bodies = "
            '"off". With bodies = "full", inferences from then on can become cases.'
        )
    return (
        f"What was said in {shown} is not there: it is older than recording.retention_days "
        f"({recording.retention_days}), came before bodies were kept, was too large, or is so new "
        "that it is not written yet. Choose another inference, or try again."
    )
