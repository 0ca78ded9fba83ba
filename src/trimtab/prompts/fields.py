"""What a prompt puts into a call beside the messages."""

from collections.abc import Mapping
from typing import Any, Final

from trimtab.prompts.prompt import Prompt

__all__ = ["call_fields"]

_LIMITS: Final = frozenset(("max_tokens", "max_completion_tokens"))
_LONGEST_NAME: Final = 64


def call_fields(prompt: Prompt, own: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a call for which a prompt has a word, as chat completions have them.

    Args:
        prompt: the version.
        own: what the caller says. It wins; and since a limit on output has two names, one limit of
            the caller takes the place of both.
    """
    behaviour = prompt.behaviour
    fields = dict(behaviour.config)
    if any(isinstance(own.get(name), int) for name in _LIMITS):
        fields = {name: value for name, value in fields.items() if name not in _LIMITS}
    if behaviour.tools:
        fields["tools"] = list(behaviour.tools.values())
    if behaviour.output is not None and "response_format" not in fields:
        schema = {"name": _schema_name(prompt.id), "schema": behaviour.output}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    return {name: value for name, value in fields.items() if name not in own}


def _schema_name(prompt_id: str) -> str:
    """As providers allow it: letters, digits, - and _."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in prompt_id)
    return name[:_LONGEST_NAME]
