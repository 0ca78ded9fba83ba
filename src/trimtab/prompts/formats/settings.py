"""Parameters of a call under the names of other tools, and formats of answers."""

from collections.abc import Mapping
from typing import Any, Final

from trimtab.prompts.formats.border import Remarks
from trimtab.prompts.formats.draft import Draft
from trimtab.prompts.formats.loading import mapping_of
from trimtab.prompts.prompt import Prompt

__all__ = ["CAMEL", "RESPONSES", "names_of", "renamed", "response_format", "take_response_format"]

CAMEL: Final[Mapping[str, str]] = {
    "frequency_penalty": "frequencyPenalty",
    "max_tokens": "maxOutputTokens",
    "presence_penalty": "presencePenalty",
    "stop": "stopSequences",
    "top_k": "topK",
    "top_p": "topP",
}
"""Names of chat completions -> those of dotprompt and prompty."""

RESPONSES: Final[Mapping[str, str]] = {"max_completion_tokens": "max_output_tokens"}
"""Names of chat completions -> those of the Responses API, where they differ."""


def renamed(config: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The parameters under their other names; one whose other name is taken keeps its own."""
    return {
        names[name] if name in names and names[name] not in config else name: value
        for name, value in config.items()
    }


def names_of(table: Mapping[str, str]) -> dict[str, str]:
    """The way back."""
    return {theirs: ours for ours, theirs in table.items()}


def take_response_format(draft: Draft, remarks: Remarks) -> None:
    """Make the schema in `response_format` of the config that of the output, if it can be one."""
    written = mapping_of(draft.config.get("response_format"))
    inner = mapping_of(written.get("json_schema"))
    schema = inner.get("schema")
    if written.get("type") != "json_schema" or schema is None:
        return
    if not draft.take_schema("output", schema, remarks):
        remarks.add(
            "the answer's schema is sent, but not checked", "Write output.schema", at="config"
        )
        return
    del draft.config["response_format"]
    if inner.get("strict") is False:
        remarks.add("`strict: false` was left out", "Answers are checked against the schema here")


def response_format(prompt: Prompt) -> dict[str, Any]:
    """The output schema as chat completions have it; empty where there is none."""
    schema = prompt.behaviour.output
    if schema is None:
        return {}
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in prompt.id)
    inner = {"name": name[:64], "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": inner}}
