"""What the user's side of a case says, as the model gets to see it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from trimtab.datasets.case import Case
from trimtab.errors import RequestError
from trimtab.prompts.prompt import Prompt

__all__ = ["asked_text", "user_text"]


def asked_text(prompt: Prompt | None, case: Case) -> str:
    """Of a case, rendered with a prompt or as it stands; "" where its variables do not fit."""
    if prompt is None:
        return user_text(case.messages)
    try:
        return user_text(prompt.render(case.variables).with_own(case.messages))
    except RequestError:
        return ""


def user_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """The texts of the user's messages, with an empty line between two of them."""
    return "\n\n".join(_text_of(one) for one in messages if one.get("role") == "user")


def _text_of(message: Mapping[str, Any]) -> str:
    content: Any = message.get("content")
    if isinstance(content, str):
        return content
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    texts = [cast("dict[str, Any]", part).get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))
