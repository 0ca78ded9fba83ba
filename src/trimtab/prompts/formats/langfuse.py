"""Langfuse: prompts as JSON, as its API gives and takes them.

Source: langfuse.com/docs/prompt-management (data model, variables, message placeholders,
composability).
"""

import re
from typing import Any, Final

import msgspec

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
from trimtab.prompts.formats.loading import list_of, load_json, mapping_of, refuse
from trimtab.prompts.formats.messages import MessageReader, chat_of, is_chat
from trimtab.prompts.formats.nodes import Node, Path, Words
from trimtab.prompts.formats.settings import response_format, take_response_format
from trimtab.prompts.formats.taken_apart import extras_of, turns_of
from trimtab.prompts.prompt import Prompt

__all__ = ["Langfuse"]

_REFERENCE: Final = re.compile(r"@@@langfusePrompt:[^@]*@@@")
_OWN: Final = frozenset(
    ("name", "type", "prompt", "config", "version", "labels", "tags", "commitMessage")
)
_HISTORY: Final = "history"


class Langfuse:
    """The format."""

    ending = ".json"

    def import_(self, text: str, origin: Origin = NOWHERE) -> Imported:
        """One prompt, or a list of them, also below `data`."""
        value = load_json(text, origin.file)
        data = mapping_of(value).get("data", value)
        prompts: list[ImportedPrompt] = []
        for number, one in enumerate(list_of(data) or [data]):
            written = mapping_of(one)
            if "prompt" not in written:
                refuse(f"{origin.file} ({number})", "there is no prompt", "Export it with its text")
            prompts.append(_imported(written, origin))
        return Imported(tuple(prompts))

    def export(self, prompt: Prompt) -> Exported:
        """One of ours; partials are put in their places."""
        remarks = Remarks(prompt.id)
        turns = turns_of(prompt, remarks, inline=True)
        config: dict[str, Any] = {"model": prompt.behaviour.model, **prompt.behaviour.config}
        config |= response_format(prompt)
        if prompt.behaviour.tools:
            config["tools"] = list(prompt.behaviour.tools.values())
        extras = extras_of(prompt, "input", "defaults", "description")
        if prompt.behaviour.output is not None and "response_format" in prompt.behaviour.config:
            extras |= extras_of(prompt, "config")
        if extras:
            config["trimtab"] = extras
        body, kind = _written(turns, remarks)
        whole = {"name": prompt.id, "type": kind, "prompt": body, "config": config}
        whole |= {"labels": [], "tags": []}
        text = msgspec.json.format(msgspec.json.encode(whole)).decode()
        return Exported(f"{text}\n", {}, tuple(remarks.all))


def _imported(written: dict[str, Any], origin: Origin) -> ImportedPrompt:
    name = str(written.get("name") or origin.file.removesuffix(".json"))
    remarks = Remarks(f"{origin.file}: {name[:60]}")
    draft = Draft(id=safe_id(name))
    _take_config(draft, written, remarks)

    def read(text: str) -> tuple[Node, ...]:
        if _REFERENCE.search(text):
            remarks.add(
                "the text of another prompt is put in there; here the reference stays as it is",
                'Write it as a partial, and {% include "_partials/NAME.md" %} in its place',
            )
        return read_flat(text, remarks)

    reader = MessageReader(read, lambda text: flat_path(text, remarks), remarks)
    body = written["prompt"]
    if is_chat(body):
        draft.turns = reader.turns(body)
    else:
        if not isinstance(body, str):
            remarks.add("the text is neither text nor messages; it stays as it is", "Correct it")
        draft.turns = [reader.turn("user", body)]
    return finish(draft, origin, remarks)


def _take_config(draft: Draft, written: dict[str, Any], remarks: Remarks) -> None:
    config = dict(mapping_of(written.get("config")))
    draft.model = str(config.pop("model", "") or "")
    extras = config.pop("trimtab", None)
    tools = config.pop("tools", None)
    for tool in list_of(tools):
        draft.take_tool(tool, remarks)
    draft.take_config(config, remarks)
    take_response_format(draft, remarks)
    draft.description = str(written.get("commitMessage") or "")
    draft.take_extras(extras, remarks)
    if written.get("labels") or written.get("version"):
        remarks.add(
            "version and labels are not carried over; versions begin anew",
            "Release the prompt to the environments that the labels stand for",
        )
    for name in sorted(set(written) - _OWN | ({"tags"} if written.get("tags") else set())):
        remarks.add(f"{name[:40]} was left out", "Keep it where your tools look for it")


def _written(turns: list[DraftTurn], remarks: Remarks) -> tuple[object, str]:
    for turn in turns:
        for place, part in enumerate(turn.parts):
            if isinstance(part, Path):
                remarks.add(
                    "messages have no images there; the line stays in the text",
                    "Let the application add the image to the message",
                )
                turn.parts[place] = (Words(f"<<image {'.'.join(part.names)}>>"),)
        if len(turn.parts) > 1:
            texts = [part for part in turn.parts if not isinstance(part, Path)]
            joined = [node for part in texts for node in (Words("\n"), *part)]
            turn.parts = [tuple(joined[1:])]

    def write(nodes: Any) -> str:  # noqa: ANN401 - as WriteText has it
        return write_flat(nodes, remarks)

    if len(turns) == 1 and turns[0].role == "user":
        return chat_of(turns, write)[0]["content"], "text"
    chat: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "history":
            chat.append({"type": "placeholder", "name": _HISTORY})
        else:
            chat += chat_of([turn], write)
    return chat, "chat"
