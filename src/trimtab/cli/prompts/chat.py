"""Messages as a chat would show them."""

from typing import Any

import typer

from trimtab.prompts.prompt import Rendered

__all__ = ["print_chat"]

_MOST_ADDRESS = 100  # letters of an image's address; data: addresses are long


def print_chat(rendered: Rendered) -> None:
    """Print each message below its role."""
    parts = [_message(message) for message in rendered.messages]
    if rendered.following:
        parts.append("[history]\n(the messages that the caller sends)")
    parts += [_message(message) for message in rendered.following]
    typer.echo("\n\n".join(parts) or "There is no message: every turn is empty.")


def _message(message: dict[str, Any]) -> str:
    content: str | list[dict[str, Any]] = message["content"]
    if isinstance(content, str):
        return f"[{message['role']}]\n{content}"
    return f"[{message['role']}]\n" + "\n".join(map(_part, content))


def _part(part: dict[str, Any]) -> str:
    if part["type"] == "text":
        return str(part["text"])
    address = str(part["image_url"]["url"])
    return f"(image {address[:_MOST_ADDRESS]}{'...' * (len(address) > _MOST_ADDRESS)})"
