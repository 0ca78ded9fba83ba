"""Dotprompt: `.prompt`, YAML and Handlebars.

Source: google.github.io/dotprompt/reference (front matter, template, picoschema).
"""

import re
from typing import Any, Final

import msgspec

from trimtab.prompts.body import Role
from trimtab.prompts.formats.border import NOWHERE, Exported, Imported, Origin, Remarks
from trimtab.prompts.formats.draft import Draft, DraftTurn, finish, safe_id
from trimtab.prompts.formats.handlebars_reader import Known, read_handlebars
from trimtab.prompts.formats.handlebars_tokens import Token, tokens_of
from trimtab.prompts.formats.handlebars_writer import handlebars_path, write_handlebars
from trimtab.prompts.formats.jinja_writer import write_jinja
from trimtab.prompts.formats.loading import list_of, load_front, mapping_of
from trimtab.prompts.formats.nodes import Path, Words, parts_in
from trimtab.prompts.formats.settings import CAMEL, names_of, renamed
from trimtab.prompts.formats.taken_apart import extras_of, nodes_of, turns_of
from trimtab.prompts.formats.yaml_lines import dump_yaml
from trimtab.prompts.prompt import Prompt

__all__ = ["Dotprompt"]

_ROLE: Final = re.compile(r"""role\s+["'](\w+)["']""")
_MEDIA: Final = re.compile(r"media\s+url=([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "user": "user",
    "model": "assistant",
    "assistant": "assistant",
}
_THEIRS: Final = {"assistant": "model"}
_KNOWN: Final = frozenset((
    "name", "variant", "description", "model", "config", "input", "output", "tools", "metadata",
))  # fmt: skip


class Dotprompt:
    """The format."""

    ending = ".prompt"

    def import_(self, text: str, origin: Origin = NOWHERE) -> Imported:
        """One prompt. Partials and tools are looked for beside the file."""
        front, body = load_front(text, origin.file)
        remarks = Remarks(origin.file)
        variant = front.get("variant")
        name = str(front.get("name") or origin.file.removesuffix(self.ending))
        draft = Draft(id=safe_id(f"{name}.{variant}" if variant else name))
        _take_front(draft, front, remarks)
        _take_tools(draft, front.get("tools"), origin=origin, remarks=remarks)
        draft.turns = _turns(tokens_of(body), _known(draft), remarks)
        _take_partials(draft, origin, remarks)
        return Imported((finish(draft, origin, remarks),))

    def export(self, prompt: Prompt) -> Exported:
        """One of ours; partials become files beside it, tools stay files of JSON."""
        remarks = Remarks(prompt.id)
        behaviour = prompt.behaviour
        config = renamed(behaviour.config, CAMEL)
        kept = ["config"] if renamed(config, names_of(CAMEL)) != behaviour.config else []
        front: dict[str, Any] = {"name": prompt.id, "description": prompt.about.description}
        front |= {"model": behaviour.model, "config": config, "tools": list(behaviour.tools)}
        given = {"schema": behaviour.input, "default": behaviour.defaults}
        front["input"] = {name: value for name, value in given.items() if value}
        if behaviour.output is not None:
            front["output"] = {"format": "json", "schema": behaviour.output}
        extras = extras_of(prompt, *kept)
        front["metadata"] = {"trimtab": extras} if extras else {}
        if behaviour.tools:
            remarks.add(
                "tools are only named there",
                "Define them in the application, as in the files beside it",
            )
        body = _body(turns_of(prompt, remarks, inline=False), remarks)
        front = {name: value for name, value in front.items() if value}
        return Exported(
            f"---\n{dump_yaml(front)}---\n{body}\n", _beside(prompt, remarks), tuple(remarks.all)
        )


# ---------------------------------------------------------------- import


def _take_front(draft: Draft, front: dict[str, Any], remarks: Remarks) -> None:
    draft.model = str(front.get("model") or "")
    draft.description = str(front.get("description") or "")
    draft.take_config(renamed(mapping_of(front.get("config")), names_of(CAMEL)), remarks)
    given, output = mapping_of(front.get("input")), mapping_of(front.get("output"))
    if given.get("schema") is not None:
        draft.take_schema("input", given["schema"], remarks)
    draft.defaults = mapping_of(given.get("default"))
    if output.get("schema") is not None:
        draft.take_schema("output", output["schema"], remarks)
    elif output.get("format") == "json":
        draft.config["response_format"] = {"type": "json_object"}
    if output.get("format") not in {None, "json", "text"}:
        remarks.add(
            "there is no such format of answers", "Say it by output.schema", at="output.format"
        )
    metadata = mapping_of(front.get("metadata"))
    draft.take_extras(metadata.get("trimtab"), remarks)
    further = sorted(
        {*set(front) - _KNOWN, *(f"metadata.{name}" for name in metadata if name != "trimtab")}
    )
    for name in further:
        remarks.add(
            f"{name[:60]} was left out", "Keep it where your tools look for it", at="front matter"
        )


def _take_tools(draft: Draft, tools: object, *, origin: Origin, remarks: Remarks) -> None:
    for tool in list_of(tools):
        if not isinstance(tool, str):
            draft.take_tool(tool, remarks)
            continue
        text = origin.read(f"_tools/{tool}.json")
        if text is not None:
            try:
                draft.take_tool(
                    {"name": tool, **msgspec.json.decode(text, type=dict[str, Any])}, remarks
                )
                continue
            except msgspec.DecodeError:
                remarks.add("not JSON", "Correct it", at=f"_tools/{tool[:40]}.json")
        draft.take_tool({"name": tool, "parameters": {"type": "object", "properties": {}}}, remarks)
        remarks.add(
            f"the tool {tool[:40]!r} is only named",
            "Complete its file below prompts/_tools",
            at="tools",
        )


def _known(draft: Draft) -> Known:
    schema = draft.input or {}
    properties: dict[str, Any] = schema.get("properties", {})
    given = {*schema.get("required", ()), *draft.defaults}
    given |= {name for name, inner in properties.items() if "default" in mapping_of(inner)}
    return Known(frozenset(given), frozenset(properties) - given)


def _turns(tokens: list[Token], known: Known, remarks: Remarks) -> list[DraftTurn]:
    turns = [DraftTurn("user", [])]
    pending: list[Token] = []
    depth = 0

    def flush() -> None:
        if any(token.kind != "words" or token.text.strip() for token in pending):
            turns[-1].parts.append(read_handlebars(tuple(pending), known, remarks))
        pending.clear()

    for token in tokens:
        text = token.text if token.kind == "tag" else ""
        depth += text.startswith("#") - text.startswith("/")
        role = _ROLE.fullmatch(text)
        media = _MEDIA.fullmatch(text)
        if depth == 0 and role is not None and role[1] in _ROLES:
            flush()
            turns.append(DraftTurn(_ROLES[role[1]], []))
        elif depth == 0 and text == "history":
            flush()
            # What follows without a role is the model's.
            turns += [DraftTurn("history", []), DraftTurn("assistant", [])]
        elif depth == 0 and media is not None and turns[-1].role == "user":
            flush()
            turns[-1].parts.append(Path(tuple(media[1].split("."))))
        else:
            pending.append(token)
    flush()
    return [turn for turn in turns if turn.parts or turn.role == "history"]


def _take_partials(draft: Draft, origin: Origin, remarks: Remarks) -> None:
    """The texts of partials, and of those that they include."""
    known = _known(draft)
    parts = [part for turn in draft.turns for part in turn.parts if not isinstance(part, Path)]
    waiting = [name for part in parts for name in parts_in(part)]
    while waiting:
        name = waiting.pop()
        if name in draft.partials:
            continue
        stem = name.removesuffix(".md")
        folder, _, last = stem.rpartition("/")
        text = origin.read(f"{folder}/_{last}.prompt" if folder else f"_{last}.prompt")
        if text is None:
            remarks.add(
                f"the partial {stem[:40]!r} is not beside the file",
                f"Write prompts/_partials/{name[:60]}",
            )
            nodes = (Words(f"{{{{>{stem}}}}}"),)
        else:
            nodes = read_handlebars(load_front(text, name)[1].removesuffix("\n"), known, remarks)
        draft.partials[name] = write_jinja(nodes, ours=True) + "\n"
        waiting += parts_in(nodes)


# ---------------------------------------------------------------- export


def _body(turns: list[DraftTurn], remarks: Remarks) -> str:
    lines: list[str] = []
    alone = len(turns) == 1 and turns[0].role == "user"
    for turn in turns:
        if turn.role == "history":
            lines.append("{{history}}")
            continue
        if not alone:
            lines.append(f'{{{{role "{_THEIRS.get(turn.role, turn.role)}"}}}}')
        for part in turn.parts:
            if isinstance(part, Path):
                lines.append(f"{{{{media url={handlebars_path(part)}}}}}")
            else:
                lines.append(write_handlebars(part, remarks))
    return "\n".join(lines)


def _beside(prompt: Prompt, remarks: Remarks) -> dict[str, str]:
    files: dict[str, str] = {}
    for name, text in prompt.behaviour.partials.items():
        stem = name.removeprefix("_partials/").removesuffix(".md")
        folder, _, last = stem.rpartition("/")
        file = f"{folder}/_{last}.prompt" if folder else f"_{last}.prompt"
        files[file] = write_handlebars(nodes_of(text, remarks, {}), remarks) + "\n"
    for name, tool in prompt.behaviour.tools.items():
        files[f"_tools/{name}.json"] = (
            msgspec.json.format(msgspec.json.encode(tool["function"])).decode() + "\n"
        )
    return files
