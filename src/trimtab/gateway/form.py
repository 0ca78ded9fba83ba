"""Whether an answer has the form that its prompt declares, and how to ask for it once more."""

from typing import Any, Literal, NamedTuple

import msgspec

from trimtab.prompts.schema import Schema
from trimtab.prompts.values import ValueProblem, problems_of
from trimtab.providers.wire.chat_continue import shown_text
from trimtab.providers.wire.chat_request import with_messages

__all__ = ["Form", "FormVerdict", "Formed", "judge_frames", "judge_whole", "repair_request"]

FormVerdict = Literal["", "ok", "invalid"]
"""Empty where there was nothing to judge: no schema, a tool call, a refusal, a broken stream."""


class Form(NamedTuple):
    """What the answers to a prompt must be.

    Attributes:
        schema: of the JSON value that an answer is.
        repairs: one that is not may be asked for once more.
    """

    schema: Schema
    repairs: bool


class Formed(NamedTuple):
    """What came of a look at an answer.

    Attributes:
        verdict: of all its choices together.
        text: the first that does not fit.
        problems: what is wrong with it, without its values.
    """

    verdict: FormVerdict
    text: str = ""
    problems: str = ""


_UNJUDGED = Formed("")


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[msgspec.Raw] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message


class _Answer(msgspec.Struct, frozen=True):
    choices: list[_Choice]


_decoder = msgspec.json.Decoder(_Answer)


def judge_whole(body: bytes, form: Form) -> Formed:
    """Look at an answer that came whole."""
    try:
        messages = [choice.message for choice in _decoder.decode(body).choices]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _UNJUDGED  # an answer without texts, as of audio
    if not messages or any(one.tool_calls or one.refusal for one in messages):
        return _UNJUDGED
    return _judge([one.content or "" for one in messages], form)


def judge_frames(frames: bytes, form: Form) -> Formed:
    """Look at a stream that was seen to its end."""
    text = shown_text(frames.removesuffix(b"data: [DONE]\n\n"))
    return _UNJUDGED if text is None else _judge([text], form)


def repair_request(body: bytes, formed: Formed) -> bytes:
    """The request once more, with the answer and what is wrong with it."""
    asked = (
        f"This does not fit the schema: {formed.problems}. Answer again with nothing but JSON "
        "that fits it."
    )
    return with_messages(
        body,
        [
            {"role": "assistant", "content": formed.text},
            {"role": "user", "content": asked},
        ],
    )


def _judge(texts: list[str], form: Form) -> Formed:
    for text in texts:
        problems = _problems(text, form.schema)
        if problems:
            told = "; ".join(str(problem) for problem in problems)
            return Formed("invalid", text, told)
    return Formed("ok")


def _problems(text: str, schema: Schema) -> list[ValueProblem]:
    try:
        value: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return [ValueProblem("", "is not JSON")]
    return problems_of(value, schema)
