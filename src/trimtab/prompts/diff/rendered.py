"""What a model would see of two versions for the same variables."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trimtab.errors import PromptTooLarge, PromptVariables
from trimtab.prompts.body import Role
from trimtab.prompts.diff.compare import TurnChange, turn_changes
from trimtab.prompts.prompt import Prompt

__all__ = ["Message", "RenderedDifference", "compare_rendered"]

_MOST_SHOWN: Final = 60


class Message(msgspec.Struct, frozen=True):
    """A message as a model gets it; an image as a line. "history" has no text."""

    role: Role
    text: str


class RenderedDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of both versions for one case.

    Attributes:
        case: its name.
        old, new: the messages of each; empty if it cannot be rendered.
        old_problem, new_problem: why it cannot; "" if it can.
        messages: side by side; `old` and `new` of each are numbers of messages, from 1. Empty
            unless both can be rendered.
    """

    case: str
    old: tuple[Message, ...]
    new: tuple[Message, ...]
    old_problem: str
    new_problem: str
    messages: tuple[TurnChange, ...]

    @property
    def is_same(self) -> bool:
        """A model sees the same messages, or neither can be rendered."""
        return self.old == self.new and bool(self.old_problem) == bool(self.new_problem)


def compare_rendered(
    old: Prompt, new: Prompt, variables: Mapping[str, Any], *, case: str = ""
) -> RenderedDifference:
    """Both versions rendered with the same variables. The result contains their values."""
    before, old_problem = _rendered(old, variables)
    after, new_problem = _rendered(new, variables)
    both = not old_problem and not new_problem
    return RenderedDifference(
        case=case,
        old=before,
        new=after,
        old_problem=old_problem,
        new_problem=new_problem,
        messages=tuple(turn_changes(_pairs(before), _pairs(after))) if both else (),
    )


def _rendered(prompt: Prompt, variables: Mapping[str, Any]) -> tuple[tuple[Message, ...], str]:
    try:
        rendered = prompt.render(variables)
    except (PromptVariables, PromptTooLarge) as error:
        return (), str(error)
    messages = [Message(message["role"], _text(message)) for message in rendered.messages]
    if any(turn.role == "history" for turn in prompt.turns):
        messages.append(Message("history", ""))
    messages += [Message(message["role"], _text(message)) for message in rendered.following]
    return tuple(messages), ""


def _pairs(messages: tuple[Message, ...]) -> list[tuple[Role, str]]:
    return [(message.role, message.text) for message in messages]


def _text(message: Mapping[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(
        part["text"] if part["type"] == "text" else _image(part["image_url"]["url"])
        for part in content
    )


def _image(address: str) -> str:
    """An image as a line; a long one by its hash, so that another image is another line."""
    if len(address) <= _MOST_SHOWN:
        return f"<<image {address}>>"
    digest = hashlib.sha256(address.encode()).hexdigest()[:8]
    return f"<<image {address[:_MOST_SHOWN]}... {len(address)} characters, SHA-256 {digest}>>"
