"""Lists of chat messages as other tools write them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, cast

import msgspec

from trimtab.prompts.body import Role
from trimtab.prompts.formats.border import Remarks
from trimtab.prompts.formats.draft import DraftTurn
from trimtab.prompts.formats.loading import mapping_of
from trimtab.prompts.formats.nodes import Node, Path, Words

__all__ = ["MessageReader", "chat_of", "is_chat"]

_ROLES: Final[dict[str, Role]] = {
    "ai": "assistant",
    "assistant": "assistant",
    "developer": "system",
    "human": "user",
    "model": "assistant",
    "system": "system",
    "user": "user",
}
_TEXTS: Final = ("text", "input_text", "output_text")

ReadText = Callable[[str], tuple[Node, ...]]
WriteText = Callable[[Sequence[Node]], str]


def is_chat(value: object) -> bool:
    """Whether it is a list of messages."""
    if not isinstance(value, list) or not value:
        return False
    messages = cast("list[object]", value)
    return all(isinstance(one, dict) and ("role" in one or "type" in one) for one in messages)


class MessageReader:
    """Messages -> turns.

    Args:
        read: texts -> nodes.
        image: the variable that the address of an image consists of; None if it is something else.
        remarks: takes what is lost.
    """

    def __init__(
        self, read: ReadText, image: Callable[[str], Path | None], remarks: Remarks
    ) -> None:
        self._read = read
        self._image = image
        self._remarks = remarks
        self._history = False

    def turns(self, messages: Iterable[object]) -> list[DraftTurn]:
        """The turns of a conversation."""
        return [self._turn(mapping_of(message)) for message in messages]

    def turn(self, role: Role, content: object) -> DraftTurn:
        """One message."""
        if content is None:
            return DraftTurn(role)
        if isinstance(content, str):
            return DraftTurn(role, [self._read(content)])
        parts = cast("list[object]", content) if isinstance(content, list) else [content]
        return DraftTurn(role, [self._part(part, role) for part in parts])

    def _turn(self, message: dict[str, Any]) -> DraftTurn:
        if message.get("type") == "placeholder" and isinstance(message.get("name"), str):
            return self._placeholder(message)
        role = _ROLES.get(str(message.get("role")))
        if role is None:
            return DraftTurn("user", [self._visible(message, "a message of this role")])
        if further := sorted(set(message) - {"role", "content", "type"}):
            self._remarks.add(
                f"a message has more than role and content: {', '.join(further)[:60]}",
                "Nothing else is sent; write it into the text if it matters",
            )
        return self.turn(role, message.get("content"))

    def _placeholder(self, message: dict[str, Any]) -> DraftTurn:
        if self._history:
            return DraftTurn("user", [self._visible(message, "a second place for messages")])
        self._history = True
        self._remarks.add(
            f"the messages of the placeholder {message['name'][:40]!r} are those of the call here",
            "Send them as `messages` beside `prompt`",
        )
        return DraftTurn("history")

    def _part(self, part: object, role: Role) -> tuple[Node, ...] | Path:
        if isinstance(part, str):
            return self._read(part)
        written = mapping_of(part)
        text = written.get("text")
        if written.get("type", "text") in _TEXTS and isinstance(text, str):
            return self._read(text)
        image = written.get("image_url")
        address = image if isinstance(image, str) else mapping_of(image).get("url")
        path = self._image(address) if isinstance(address, str) else None
        if path is not None and role == "user" and not any(n.isdecimal() for n in path.names):
            return path
        return self._visible(
            part, "a part of a message that is neither text nor an image of a variable"
        )

    def _visible(self, value: object, what: str) -> tuple[Node, ...]:
        self._remarks.add(
            f"{what} has no equivalent; it stays in the text as it is",
            "Write it as text, or as <<image VARIABLE>> in a user's turn",
        )
        return (Words(msgspec.json.encode(value).decode()),)


def chat_of(
    turns: Iterable[DraftTurn], write: WriteText, *, responses: bool = False
) -> list[dict[str, Any]]:
    """Turns as messages; the place of the caller's own is left out.

    Args:
        turns: of a prompt.
        write: nodes -> text.
        responses: parts are named as in the Responses API.
    """
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "history":
            continue
        if len(turn.parts) == 1 and not isinstance(turn.parts[0], Path):
            messages.append({"role": turn.role, "content": write(turn.parts[0])})
            continue
        content = [_written(part, write, responses=responses) for part in turn.parts]
        messages.append({"role": turn.role, "content": content})
    return messages


def _written(part: tuple[Node, ...] | Path, write: WriteText, *, responses: bool) -> dict[str, Any]:
    if not isinstance(part, Path):
        return {"type": "input_text" if responses else "text", "text": write(part)}
    place = f"{{{{{'.'.join(part.names)}}}}}"
    if responses:
        return {"type": "input_image", "image_url": place}
    return {"type": "image_url", "image_url": {"url": place}}
