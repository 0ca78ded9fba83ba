"""OpenAI: stored prompts and bodies of the Responses API, as JSON.

Source: developers.openai.com/api/docs (prompting: variables and versions; responses: instructions,
input, text.format, tools).
"""

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from trimtab.errors import UsageError
from trimtab.prompts.formats.border import (
    NOWHERE,
    Exported,
    Imported,
    ImportedPrompt,
    Origin,
    Remarks,
)
from trimtab.prompts.formats.draft import Draft, DraftTurn, finish, safe_id
from trimtab.prompts.formats.flat import flat_path, read_flat, write_flat
from trimtab.prompts.formats.loading import list_of, load_json, mapping_of
from trimtab.prompts.formats.messages import MessageReader, chat_of
from trimtab.prompts.formats.nodes import Node
from trimtab.prompts.formats.settings import RESPONSES, names_of, renamed, take_response_format
from trimtab.prompts.formats.taken_apart import extras_of, turns_of
from trimtab.prompts.prompt import Prompt

__all__ = ["OpenAI"]

_MOST_METADATA: Final = 512  # characters of one value
_TEXTS: Final = ("instructions", "input", "messages")
_KNOWN: Final = frozenset((
    *_TEXTS, "id", "name", "object", "model", "description", "metadata", "prompt", "text", "tools",
    "variables", "version", "stream", "user",
))  # fmt: skip
_UNSENT: Final = frozenset(
    ("background", "conversation", "created_at", "include", "previous_response_id", "store")
)


class OpenAI:
    """The format."""

    ending = ".json"

    def import_(self, text: str, origin: Origin = NOWHERE) -> Imported:
        """One prompt, or a list of them, also below `data`."""
        value = load_json(text, origin.file)
        data = mapping_of(value).get("data", value)
        several = list_of(data) or [data]
        return Imported(tuple(_imported(mapping_of(one), origin) for one in several))

    def export(self, prompt: Prompt) -> Exported:
        """One of ours; partials are put in their places."""
        remarks = Remarks(prompt.id)
        turns = turns_of(prompt, remarks, inline=True)
        behaviour = prompt.behaviour
        whole: dict[str, Any] = {"name": prompt.id, "description": prompt.about.description}
        whole |= {"model": behaviour.model, **_texts(turns, remarks)}
        whole["variables"] = _variables(prompt)
        whole |= _settings(prompt, remarks)
        whole["tools"] = [
            {"type": "function", **tool["function"]} for tool in behaviour.tools.values()
        ]
        extras = extras_of(prompt, "input", "defaults", *_kept(prompt))
        if extras:
            kept = msgspec.json.encode(extras).decode()
            whole["metadata"] = {"trimtab": kept}
            if len(kept) > _MOST_METADATA:
                remarks.add(
                    "the metadata is longer than the API takes",
                    "Keep it in a file; leave it out when sending",
                )
        whole = {name: value for name, value in whole.items() if value not in ("", [], {}, None)}
        text = msgspec.json.format(msgspec.json.encode(whole)).decode()
        return Exported(f"{text}\n", {}, tuple(remarks.all))


# ---------------------------------------------------------------- import


def _imported(written: dict[str, Any], origin: Origin) -> ImportedPrompt:
    reference = mapping_of(written.get("prompt"))
    written = {**reference, **{name: value for name, value in written.items() if name != "prompt"}}
    if not any(written.get(name) for name in _TEXTS):
        raise UsageError(
            f"{origin.file} has no instructions, input or messages. A reference to a stored prompt "
            "does not carry its text: copy that from the dashboard into `instructions`."
        )
    name = str(written.get("name") or written.get("id") or origin.file.removesuffix(".json"))
    remarks = Remarks(f"{origin.file}: {name[:60]}")
    draft = Draft(id=safe_id(name), model=str(written.get("model") or ""))
    draft.description = str(written.get("description") or "")
    _take_settings(draft, written, remarks)
    draft.defaults = _defaults(written.get("variables"), remarks)
    tools = written.get("tools")
    for tool in list_of(tools):
        draft.take_tool(tool, remarks)
    if written.get("version"):
        remarks.add("the version is not carried over; versions begin anew", "Release the prompt")
    draft.turns = _turns(written, remarks)
    metadata = mapping_of(written.get("metadata"))
    _take_kept(draft, metadata, remarks)
    if further := sorted(set(metadata) - {"trimtab"}):
        remarks.add(f"metadata was left out: {', '.join(further)[:60]}", "Send it with the call")
    return finish(draft, origin, remarks)


def _take_settings(draft: Draft, written: dict[str, Any], remarks: Remarks) -> None:
    config = {name: value for name, value in written.items() if name not in _KNOWN | _UNSENT}
    text, reasoning = mapping_of(written.get("text")), mapping_of(config.get("reasoning"))
    if set(reasoning) == {"effort"}:
        config["reasoning_effort"] = config.pop("reasoning")["effort"]
    if "verbosity" in text:
        config["verbosity"] = text["verbosity"]
    form = mapping_of(text.get("format"))
    if form.get("type") == "json_schema":
        inner = {name: value for name, value in form.items() if name != "type"}
        config["response_format"] = {"type": "json_schema", "json_schema": inner}
    elif form.get("type") not in {None, "text"}:
        config["response_format"] = form
    draft.take_config(renamed(config, names_of(RESPONSES)), remarks)
    take_response_format(draft, remarks)
    for name in sorted(_UNSENT & set(written) | {"stream", "user"} & set(written)):
        remarks.add(f"{name} is for a call, and was left out", "Send it with the call")


def _defaults(variables: object, remarks: Remarks) -> dict[str, Any]:
    """Values of variables; a list or null only names them."""
    defaults: dict[str, Any] = {}
    for name, value in mapping_of(variables).items():
        given = mapping_of(value)
        text = given.get("default", given.get("text")) if given else value
        if isinstance(text, str):
            match read_flat(f"{{{{{name}}}}}", remarks):
                case (node,) if (
                    path := flat_path(f"{{{{{name}}}}}", Remarks())
                ) is not None and node:
                    defaults[path.names[0]] = text
                case _:
                    pass
        elif text is not None or (
            given and "default" not in given and given.get("type") not in {None, "string"}
        ):
            remarks.add(
                f"the value of {name[:40]!r} is no text, and was left out", "Send it with the call"
            )
    return defaults


def _turns(written: dict[str, Any], remarks: Remarks) -> list[DraftTurn]:
    def read(text: str) -> tuple[Node, ...]:
        return read_flat(text, remarks)

    reader = MessageReader(read, lambda text: flat_path(text, remarks), remarks)
    turns: list[DraftTurn] = []
    for name in _TEXTS:
        value = written.get(name)
        if isinstance(value, str) and value:
            turns.append(reader.turn("system" if name == "instructions" else "user", value))
        elif isinstance(value, list):
            turns += reader.turns(cast("list[object]", value))
        elif value:
            turns.append(reader.turn("user", value))
    return turns


def _take_kept(draft: Draft, metadata: dict[str, Any], remarks: Remarks) -> None:
    kept = metadata.get("trimtab")
    if isinstance(kept, str):
        try:
            draft.take_extras(msgspec.json.decode(kept), remarks)
        except (msgspec.DecodeError, RecursionError):
            remarks.add(
                "what an export kept for us is damaged", "Compare with the prompt it came from"
            )


# ---------------------------------------------------------------- export


def _texts(turns: list[DraftTurn], remarks: Remarks) -> dict[str, Any]:
    def write(nodes: Sequence[Node]) -> str:
        return write_flat(nodes, remarks)

    texts: dict[str, Any] = {}
    if turns and turns[0].role == "system":
        content = chat_of(turns[:1], write, responses=True)[0]["content"]
        if isinstance(content, str):
            texts["instructions"] = content
            turns = turns[1:]
    messages: list[dict[str, Any]] = []
    for number, turn in enumerate(turns):
        if turn.role != "history":
            messages += chat_of([turn], write, responses=True)
            continue
        messages.append({"type": "placeholder", "name": "history"})
        if number + 1 < len(turns):
            remarks.add(
                "the place of earlier messages is only marked there",
                "Put them in place of the marker",
            )
    texts["messages"] = messages
    return texts


def _variables(prompt: Prompt) -> dict[str, Any]:
    names = sorted({name.partition(".")[0] for name in prompt.names})
    defaults = prompt.behaviour.defaults
    return {
        name: defaults.get(name) if isinstance(defaults.get(name), str) else None for name in names
    }


def _settings(prompt: Prompt, remarks: Remarks) -> dict[str, Any]:
    config = dict(prompt.behaviour.config)
    settings: dict[str, Any] = {}
    text: dict[str, Any] = {}
    if "reasoning_effort" in config:
        settings["reasoning"] = {"effort": config.pop("reasoning_effort")}
    if "verbosity" in config:
        text["verbosity"] = config.pop("verbosity")
    form = mapping_of(config.pop("response_format", None))
    if form and form.get("type") != "json_schema":
        text["format"] = form
    schema = prompt.behaviour.output
    if schema is not None:
        name = prompt.id.replace("/", "_").replace(".", "_")[:64]
        text["format"] = {"type": "json_schema", "name": name, "strict": True, "schema": schema}
    if "max_tokens" in config and "max_output_tokens" not in config:
        settings["max_output_tokens"] = config.pop("max_tokens")
    if text:
        settings["text"] = text
    for name in sorted(
        set(config) & {"frequency_penalty", "logit_bias", "presence_penalty", "seed", "stop"}
    ):
        remarks.add(f"{name} is no parameter of the Responses API", "Leave it out when sending")
    return settings | renamed(config, RESPONSES)


def _kept(prompt: Prompt) -> list[str]:
    """The config, where it does not come back as it was."""
    config = prompt.behaviour.config
    odd = {
        "max_tokens",
        "max_output_tokens",
        "reasoning",
        "text",
        "response_format",
        *_KNOWN,
        *_UNSENT,
    }
    return ["config"] if odd & set(config) else []
