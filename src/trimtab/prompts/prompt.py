"""One version of a prompt, parsed and checked, ready to be rendered."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from trimtab.errors import PromptVariables
from trimtab.prompts.body import Image, Text, Turn
from trimtab.prompts.schema import Schema
from trimtab.prompts.template import MOST_RENDERED_CHARACTERS, Templates, too_long
from trimtab.prompts.values import problems_of, with_defaults
from trimtab.prompts.version import Behaviour, content_hash, short_hash

__all__ = ["MAIN", "About", "Prompt", "Rendered"]

MAIN: Final = "body/"
"""What the names of a prompt's own templates begin with; the rest are turn and part."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says beside what changes behaviour.

    Attributes:
        description: in a few words.
        suite: cases that say whether a version is good.
        owners: who must agree to a change, as CODEOWNERS names them.
    """

    description: str = ""
    suite: str = ""
    owners: tuple[str, ...] = ()


class Rendered(msgspec.Struct, frozen=True):
    """Messages as chat completions have them.

    Attributes:
        messages: before the place of the caller's own messages.
        following: after it.
    """

    messages: list[dict[str, Any]]
    following: list[dict[str, Any]]

    def with_own(self, own: Sequence[Any] = ()) -> list[Any]:
        """All messages, with those that the caller sends in their place."""
        return [*self.messages, *own, *self.following]


class Prompt:
    """One version.

    Args:
        id: path below `prompts/` without `.prompt.md`.
        about: what does not change behaviour.
        behaviour: what does.
        version_hash: of `behaviour`.
        turns: the body, parsed.
        templates: the texts of the turns and the partials, compiled.
        files: the texts that all this was read from, by name below `prompts/`; whoever has them
            can parse the version again.
    """

    __slots__ = (
        "_defaults",
        "_templates",
        "about",
        "behaviour",
        "files",
        "id",
        "turns",
        "version_hash",
    )

    def __init__(  # noqa: PLR0913 - all that a version is
        self,
        id: str,  # noqa: A002 - its name for everybody
        about: About,
        behaviour: Behaviour,
        *,
        version_hash: str,
        turns: tuple[Turn, ...],
        templates: Templates,
        files: Mapping[str, str],
    ) -> None:
        self.id = id
        self.about = about
        self.behaviour = behaviour
        self.version_hash = version_hash
        self.turns = turns
        self._templates = templates
        self.files = files

    def changed(self, *, model: str = "", config: Mapping[str, Any]) -> "Prompt":
        """The version that its file would give with another model or other parameters of the call.

        Args:
            model: alias or route; "" for its own.
            config: put over its own; a parameter that is None is taken out.
        """
        behaviour = self.behaviour
        merged = {**behaviour.config, **config}
        changed = msgspec.structs.replace(
            behaviour,
            model=model or behaviour.model,
            config={name: value for name, value in merged.items() if value is not None},
        )
        return Prompt(
            self.id,
            self.about,
            changed,
            version_hash=content_hash(changed),
            turns=self.turns,
            templates=self._templates,
            files=self.files,
        )

    @property
    def short(self) -> str:
        """The first digits of the hash, for people."""
        return short_hash(self.version_hash)

    @property
    def names(self) -> set[str]:
        """Names that its templates take from the variables, such as `ticket` and `user.name`."""
        used = {
            part.variable for turn in self.turns for part in turn.parts if isinstance(part, Image)
        }
        for name in (*self._own_templates(), *self.behaviour.partials):
            used |= self._templates.names_in(name)
        return used

    def render(self, variables: Mapping[str, Any]) -> Rendered:
        """The messages, with JSON values put in.

        Raises:
            PromptVariables: they do not fit the schema or the templates; names the variable.
            PromptTooLarge: it takes too much work, or becomes too long.
        """
        values = self.checked(variables)
        before: list[dict[str, Any]] = []
        following: list[dict[str, Any]] = []
        messages = before
        characters = 0
        for number, turn in enumerate(self.turns):
            if turn.role == "history":
                messages = following
                continue
            content = self._content(number, turn, values)
            characters += _characters(content)
            if characters > MOST_RENDERED_CHARACTERS:
                raise too_long()
            if content:
                messages.append({"role": turn.role, "content": content})
        return Rendered(before, following)

    def checked(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables with defaults, if they fit the schema.

        Raises:
            PromptVariables: they do not.
        """
        values = {**self.behaviour.defaults, **variables}
        schema = self.behaviour.input
        if schema is None:
            return values
        values = with_defaults(values, schema)
        problems = problems_of(values, schema)
        if problems:
            told = "; ".join(map(str, problems))
            raise PromptVariables(
                f"The variables do not fit prompt {self.id!r}: {told}. It takes {_fields(schema)}.",
                param=f"prompt.variables.{problems[0].place}",
            )
        return values

    def _content(
        self, number: int, turn: Turn, values: Mapping[str, Any]
    ) -> str | list[dict[str, Any]]:
        """The content of a message; empty if nothing is left of it."""
        parts: list[dict[str, Any]] = []
        for place, part in enumerate(turn.parts):
            if isinstance(part, Text):
                text = self._templates.render(f"{MAIN}{number}/{place}", values).strip()
                if text:
                    parts.append({"type": "text", "text": text})
            elif (address := _address(part, values)) is not None:
                parts.append({"type": "image_url", "image_url": {"url": address}})
        if all(part["type"] == "text" for part in parts):
            return "\n".join(part["text"] for part in parts)
        return parts

    def _own_templates(self) -> list[str]:
        return [
            f"{MAIN}{number}/{place}"
            for number, turn in enumerate(self.turns)
            for place, part in enumerate(turn.parts)
            if isinstance(part, Text)
        ]


def _characters(content: str | list[dict[str, Any]]) -> int:
    """Of the text of a message; the addresses of images come from the request as they are."""
    if isinstance(content, str):
        return len(content)
    return sum(len(part["text"]) for part in content if part["type"] == "text")


def _address(image: Image, values: Mapping[str, Any]) -> str | None:
    """Where an image is; None where the variable is absent or null.

    Raises:
        PromptVariables: it is no address of an image.
    """
    value: Any = values
    for name in image.variable.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith(("https://", "http://", "data:image/")):
        raise PromptVariables(
            f"`{image.variable}` must be the address of an image: https://... or data:image/...",
            param=f"prompt.variables.{image.variable}",
        )
    return value


def _fields(schema: Schema) -> str:
    required = set(schema.get("required", ()))
    names = [
        name if name in required else f"{name} (optional)" for name in schema.get("properties", {})
    ]
    return ", ".join(names) or "none"
