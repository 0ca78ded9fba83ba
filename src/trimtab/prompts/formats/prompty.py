"""Prompty: `.prompty`, YAML and Jinja2. Reads versions 1 and 2 of the format, writes version 2.

Sources: prompty.ai (specification, model and template) and microsoft.github.io/promptflow
(develop a prompty).
"""

import re
from typing import Any, Final, cast

from trimtab.prompts.body import Role
from trimtab.prompts.formats.border import NOWHERE, Exported, Imported, Origin, Remarks
from trimtab.prompts.formats.draft import Draft, DraftTurn, finish, safe_id
from trimtab.prompts.formats.jinja_reader import read_jinja
from trimtab.prompts.formats.jinja_writer import write_jinja
from trimtab.prompts.formats.loading import list_of, load_front, mapping_of
from trimtab.prompts.formats.nodes import Path
from trimtab.prompts.formats.properties import properties_of, schema_of
from trimtab.prompts.formats.settings import CAMEL, names_of, renamed, take_response_format
from trimtab.prompts.formats.taken_apart import extras_of, turns_of, warn_of_filters
from trimtab.prompts.formats.yaml_lines import dump_yaml
from trimtab.prompts.prompt import Prompt

__all__ = ["Prompty"]

_ROLE: Final = re.compile(
    r"^[ \t]*#?[ \t]*(system|user|assistant|developer|tool|function)[ \t]*"
    r"(?:\[[^\]\n]*\])?:[ \t]*$",
    re.IGNORECASE,
)
_IMAGE: Final = re.compile(r"^!\[[^\]]*\]\(\{\{\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*\}\}\)[ \t]*$")
_HISTORY: Final = re.compile(
    r"^\{%-?\s*for\s+(\w+)\s+in\s+(\w+)\s*-?%\}\s*\{\{\s*\1\.role\s*\}\}:\s*"
    r"\{\{\s*\1\.content\s*\}\}\s*\{%-?\s*endfor\s*-?%\}[ \t]*$",
    re.MULTILINE,
)
_HISTORY_LINE: Final = "\ue001history:"  # stands for the loop while the text is divided
_LOOP: Final = (
    "{% for message in history %}\n{{ message.role }}:\n{{ message.content }}\n{% endfor %}"
)
_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_MISSING: Final = frozenset(("bool", "split", "lines"))
_KNOWN: Final = frozenset(
    (
        "name",
        "description",
        "metadata",
        "model",
        "inputs",
        "outputs",
        "tools",
        "template",
        "$schema",
    )
)
_PLACES: Final = frozenset(("connection", "provider", "apiType"))


class Prompty:
    """The format."""

    ending = ".prompty"

    def import_(self, text: str, origin: Origin = NOWHERE) -> Imported:
        """One prompt."""
        front, body = load_front(text, origin.file)
        remarks = Remarks(origin.file)
        name = str(front.get("name") or origin.file.removesuffix(self.ending))
        draft = Draft(id=safe_id(name), description=str(front.get("description") or ""))
        _take_model(draft, mapping_of(front.get("model")), front.get("model"), remarks=remarks)
        threads = _take_schemas(draft, front, remarks)
        tools = front.get("tools")
        for tool in list_of(tools):
            draft.take_tool(_tool(mapping_of(tool)), remarks)
        metadata = mapping_of(front.get("metadata"))
        draft.take_extras(metadata.get("trimtab"), remarks)
        kind = mapping_of(mapping_of(front.get("template")).get("format")).get("kind", "jinja2")
        if kind not in {"jinja2", "nunjucks"}:
            remarks.add(
                f"templates of {str(kind)[:20]!r} are read as Jinja2",
                "Compare the text",
                at="template",
            )
        left_out = {
            *(set(front) - _KNOWN),
            *(f"metadata.{name}" for name in metadata if name != "trimtab"),
        }
        for name in sorted(left_out):
            remarks.add(f"{name[:60]} was left out", "Keep it where your tools look for it")
        draft.turns = _Body(origin, remarks).turns(body, threads)
        return Imported((finish(draft, origin, remarks),))

    def export(self, prompt: Prompt) -> Exported:
        """One of ours, in version 2; partials are put in their places."""
        remarks = Remarks(prompt.id)
        body = _body(turns_of(prompt, remarks, inline=True), remarks)
        front = {name: value for name, value in _front(prompt, remarks).items() if value}
        return Exported(f"---\n{dump_yaml(front)}---\n{body}\n", {}, tuple(remarks.all))


# ---------------------------------------------------------------- import


def _take_model(draft: Draft, model: dict[str, Any], written: object, *, remarks: Remarks) -> None:
    place = mapping_of(model.get("configuration"))
    names = (
        written,
        model.get("id"),
        place.get("azure_deployment"),
        place.get("model"),
        place.get("name"),
    )
    draft.model = next((name for name in names if isinstance(name, str) and name), "")
    options = dict(mapping_of(model.get("options")) or mapping_of(model.get("parameters")))
    further = mapping_of(options.pop("additionalProperties", None))
    config = renamed({**options, **further}, names_of(CAMEL))
    for tool in cast("list[object]", config.pop("tools", None) or []):
        draft.take_tool(tool, remarks)
    draft.take_config(config, remarks)
    take_response_format(draft, remarks)
    if place or _PLACES & set(model):
        remarks.add(
            "where the model is reached was left out",
            "Name its provider in trimtab.toml",
            at="model",
        )


def _take_schemas(draft: Draft, front: dict[str, Any], remarks: Remarks) -> list[str]:
    threads: list[str] = []
    if front.get("inputs"):
        schema, draft.defaults, threads = schema_of(front["inputs"])
        draft.take_schema("input", schema, remarks)
    if front.get("outputs") and draft.output is None:
        schema, _, _ = schema_of(front["outputs"])
        draft.take_schema("output", schema, remarks)
    return threads


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool with its parameters as JSON Schema."""
    kind = tool.get("kind", tool.get("type", "function"))
    shown = {name: value for name, value in tool.items() if name not in {"kind", "type"}}
    if isinstance(tool.get("parameters"), list):
        schema, _, _ = schema_of(tool["parameters"])
        shown["parameters"] = schema
    return {"type": kind, "function": shown} if "function" not in tool else tool


class _Body:
    """The text below the front matter, on its way to turns."""

    def __init__(self, origin: Origin, remarks: Remarks) -> None:
        self._origin = origin
        self._remarks = remarks
        self._turns = [DraftTurn("system", [])]
        self._lines: list[str] = []

    def turns(self, body: str, threads: list[str]) -> list[DraftTurn]:
        """The turns. Lines of a role divide it, and places of earlier messages."""
        for line in self._marked(body, threads).split("\n"):
            role = _ROLE.match(line)
            image = _IMAGE.match(line)
            if line == _HISTORY_LINE:
                self._flush()
                self._turns.append(DraftTurn("history", []))
            elif role is not None and role[1].lower() in _ROLES:
                self._flush()
                self._turns.append(DraftTurn(_ROLES[role[1].lower()], []))
            elif image is not None and self._turns[-1].role == "user":
                self._flush()
                self._turns[-1].parts.append(Path(tuple(image[1].split("."))))
            else:
                self._lines.append(line)
        self._flush()
        return [turn for turn in self._turns if turn.parts or turn.role == "history"]

    def _marked(self, body: str, threads: list[str]) -> str:
        """The text with one line for each place of earlier messages; only the first is one."""
        body = body.replace(_HISTORY_LINE[0], "")
        names = "|".join(map(re.escape, threads)) or r"(?!)"
        thread = rf"^\{{\{{\s*(?:{names})\s*\}}\}}[ \t]*$"
        places = re.compile(f"{_HISTORY.pattern}|{thread}", re.MULTILINE)
        body, found = places.subn(_HISTORY_LINE, body, count=1)
        if found:
            self._remarks.add(
                "earlier messages were a variable; they are those of the call here",
                "Send them as `messages` beside `prompt`",
            )
        return body

    def _flush(self) -> None:
        text = "\n".join(self._lines).strip("\n")
        self._lines.clear()
        if not text.strip():
            return
        if self._turns[-1].role == "history":
            self._turns.append(DraftTurn("user", []))
        nodes = read_jinja(text, ours=False, remarks=self._remarks, read=self._origin.read)
        self._turns[-1].parts.append(nodes)


# ---------------------------------------------------------------- export


def _front(prompt: Prompt, remarks: Remarks) -> dict[str, Any]:
    behaviour = prompt.behaviour
    known = {*CAMEL.values(), "temperature", "seed"}
    theirs = renamed(behaviour.config, CAMEL)
    options = {name: value for name, value in theirs.items() if name in known}
    further = {name: value for name, value in theirs.items() if name not in known}
    if further:
        options["additionalProperties"] = further
    kept: list[str] = []
    back = renamed({name: theirs[name] for name in theirs}, names_of(CAMEL))
    if back != behaviour.config or behaviour.config.keys() & {"tools", "response_format"}:
        kept.append("config")
    inputs = properties_of(behaviour.input or {}, behaviour.defaults)
    if behaviour.input is not None and schema_of(inputs)[:2] != (
        behaviour.input,
        behaviour.defaults,
    ):
        kept += ["input", "defaults"]
    elif behaviour.input is None and behaviour.defaults:
        kept.append("defaults")
    outputs = properties_of(behaviour.output or {}, {})
    if behaviour.output is not None and schema_of(outputs)[0] != behaviour.output:
        kept.append("output")
    if {"input", "output"} & set(kept):
        remarks.add(
            "the properties there say less than the schema",
            "The whole schema is under metadata.trimtab; check it in the application",
        )
    extras = extras_of(prompt, *kept)
    return {
        "name": prompt.id,
        "description": prompt.about.description,
        "metadata": {"trimtab": extras} if extras else {},
        "model": {"id": behaviour.model, **({"options": options} if options else {})},
        "inputs": inputs,
        "outputs": outputs,
        "tools": [_tool_of(tool["function"]) for tool in behaviour.tools.values()],
        "template": {"format": {"kind": "jinja2"}, "parser": {"kind": "prompty"}},
    }


def _tool_of(function: dict[str, Any]) -> dict[str, Any]:
    parameters = mapping_of(function.get("parameters"))
    shown = {"name": function.get("name", ""), "kind": "function", **function}
    listed = properties_of(parameters, {})
    if parameters and schema_of(listed)[0] == parameters and listed:
        shown["parameters"] = listed
    return shown


def _body(turns: list[DraftTurn], remarks: Remarks) -> str:
    blocks: list[str] = []
    for turn in turns:
        if turn.role == "history":
            remarks.add("earlier messages are a variable there", "Pass them as `history`")
            blocks.append(_LOOP)
            continue
        lines = [f"{turn.role}:"]
        for part in turn.parts:
            if isinstance(part, Path):
                lines.append(f"![image]({{{{ {'.'.join(part.names)} }}}})")
                continue
            warn_of_filters(part, _MISSING, remarks)
            lines.append(_without_roles(write_jinja(part, ours=False), remarks))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _without_roles(text: str, remarks: Remarks) -> str:
    """A text none of whose lines begins a message."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _ROLE.match(line) is None and _IMAGE.match(line) is None:
            continue
        lines[number] = f'{{{{ "" }}}}{line}'
        remarks.add(
            "a line of the text looks like a role or an image",
            "Some versions of prompty divide the text after rendering; write the line otherwise",
        )
    return "\n".join(lines)
