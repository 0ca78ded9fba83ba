"""A prompt on its way to a file of ours."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from trimtab.errors import ConfigError
from trimtab.prompts.body import Role
from trimtab.prompts.formats.border import ImportedPrompt, Origin, Remarks
from trimtab.prompts.formats.jinja_writer import write_jinja
from trimtab.prompts.formats.nodes import Node, Path
from trimtab.prompts.formats.yaml_lines import dump_yaml
from trimtab.prompts.parameters import misfit_of
from trimtab.prompts.parse import file_of, parse_prompt
from trimtab.prompts.schema import Schema, SchemaProblem, parse_schema

__all__ = ["Draft", "DraftTurn", "finish", "safe_id"]

_MARKER: Final = re.compile(r"<<(?=\s*[A-Za-z]+(?:\s+[^\s<>]+)?\s*>>[ \t]*$)", re.MULTILINE)
_SECRET: Final = re.compile(
    r"api[-_]?key|authorization|password|secret|(?:access|auth)[-_]?token", re.IGNORECASE
)
_UNNAMED: Final = "choose-a-model"


class DraftTurn(msgspec.Struct):
    """One message, or the place of the caller's own.

    Attributes:
        role: who speaks.
        parts: templates, and the variables that hold images.
    """

    role: Role
    parts: "list[tuple[Node, ...] | Path]" = []


class Draft(msgspec.Struct, kw_only=True):
    """What will be in the files; the fields are those of the front matter."""

    id: str
    model: str = ""
    config: dict[str, Any] = {}
    input: Schema | None = None
    defaults: dict[str, Any] = {}
    untrusted: list[str] = []
    output: Schema | None = None
    repair: bool = False
    tools: dict[str, dict[str, Any]] = {}
    suite: str = ""
    owners: list[str] = []
    description: str = ""
    turns: list[DraftTurn] = []
    partials: dict[str, str] = {}

    def take_schema(self, field: str, written: object, remarks: Remarks) -> bool:
        """Set `input` or `output`; False, with a remark, where a schema is not understood here."""
        try:
            schema = parse_schema(written)
        except SchemaProblem as error:
            remarks.add(
                f"the schema cannot be used ({'.'.join(error.path)}: {error.problem})",
                error.remedy,
                at=field,
            )
            return False
        if field == "input" and (schema.get("type") != "object" or not _is_mapping(schema)):
            remarks.add("the schema is not one of named variables", "Write type: object", at=field)
            return False
        setattr(self, field, schema)
        return True

    def take_config(self, config: Mapping[str, Any], remarks: Remarks) -> None:
        """Add parameters of the call; those that are not for a prompt to say are left out."""
        for name, value in config.items():
            if misfit := misfit_of(name, value):
                remarks.add(*misfit, at="config")
            elif _SECRET.search(name):
                remarks.add(
                    f"{name[:40]} may be a secret and was left out",
                    "Put keys into the environment",
                    at="config",
                )
            else:
                self.config[name] = value

    def take_tool(self, written: object, remarks: Remarks) -> None:
        """Add a tool: a function as chat completions or responses have it."""
        tool = cast("dict[str, Any]", written) if isinstance(written, dict) else {}
        inner = tool.get("function", tool)
        function = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
        name = function.get("name")
        if tool.get("type", "function") != "function" or not isinstance(name, str) or not name:
            kind = str(tool.get("type", "one without a name"))[:40]
            remarks.add(
                f"a tool that is no function ({kind}) was left out",
                "Let the caller send it",
                at="tools",
            )
            return
        file = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        if not re.search(r"[A-Za-z0-9]", file):
            file = f"tool_{len(self.tools) + 1}"
        self.tools[file] = {key: value for key, value in function.items() if key != "type"}

    def take_extras(self, written: object, remarks: Remarks) -> None:
        """Take what one of our own exports kept, for which the format has no place."""
        if not isinstance(written, dict):
            return
        extras = cast("dict[str, Any]", written)
        try:
            found = msgspec.convert(extras, _Extras)
        except msgspec.ValidationError:
            remarks.add(
                "what an export kept for us is damaged", "Compare with the prompt it came from"
            )
            return
        for field in ("input", "output"):
            schema = getattr(found, field)
            if schema is not None:
                self.take_schema(field, schema, remarks)
        for field in ("defaults", "config", "model"):
            value = getattr(found, field)
            if value is not None:
                setattr(self, field, value)
        for field in ("untrusted", "repair", "suite", "owners", "description"):
            setattr(self, field, getattr(found, field) or getattr(self, field))


class _Extras(msgspec.Struct):
    input: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    defaults: dict[str, Any] | None = None
    config: dict[str, Any] | None = None
    model: str | None = None
    untrusted: list[str] = []
    repair: bool = False
    suite: str = ""
    owners: list[str] = []
    description: str = ""


def safe_id(name: str) -> str:
    """A name as the id of a prompt, which is a path: no folder begins with `_` or a point."""
    parts = [re.sub(r"[^\w.-]+", "-", part).strip("-._") for part in name.split("/")]
    return "/".join(part[:80] for part in parts if part) or "prompt"


def finish(draft: Draft, origin: Origin, remarks: Remarks) -> ImportedPrompt:
    """The files. They are read as the gateway will; what is wrong with them becomes a remark."""
    model = _model(draft.model, origin, remarks)
    _check_names(draft, remarks)
    front = dump_yaml(_front(draft, model))
    text = f"---\n{front}---\n{_body(draft, remarks)}\n"
    files = {f"_partials/{name}": text for name, text in draft.partials.items()}
    for name, tool in draft.tools.items():
        files[f"_tools/{name}.json"] = (
            msgspec.json.format(msgspec.json.encode(tool)).decode() + "\n"
        )
    try:
        parse_prompt(draft.id, {**files, file_of(draft.id): text}.get)
    except ConfigError as error:
        for finding in error.findings:
            remarks.all.append(finding)
    return ImportedPrompt(draft.id, text, files, tuple(remarks.all))


def _model(name: str, origin: Origin, remarks: Remarks) -> str:
    if name in origin.models:
        return origin.models[name]
    if not name:
        remarks.add(
            "no model is named", f"Replace `{_UNNAMED}` by an alias of trimtab.toml", at="model"
        )
        return _UNNAMED
    remarks.add(
        f"the model {name[:60]!r} must be an alias or a route of trimtab.toml",
        "Add an alias of this name, or pass a mapping of names when importing",
        at="model",
    )
    return name


def _check_names(draft: Draft, remarks: Remarks) -> None:
    """Defaults and untrusted inputs must be in the schema."""
    if draft.input is None:
        return
    known: dict[str, Any] = draft.input.get("properties", {})
    for name in [*draft.defaults, *draft.untrusted]:
        if name not in known:
            known[name] = {}
            remarks.add(
                f"{name[:40]!r} was not in the schema of inputs", "Give it a type", at="input"
            )


def _front(draft: Draft, model: str) -> dict[str, Any]:
    given = {
        "schema": draft.input,
        "default": draft.defaults or None,
        "untrusted": draft.untrusted or None,
    }
    output = {"schema": draft.output, "repair": draft.repair or None}
    front = {
        "description": draft.description or None,
        "model": model,
        "config": draft.config or None,
        "input": {key: value for key, value in given.items() if value is not None} or None,
        "output": {key: value for key, value in output.items() if value is not None} or None,
        "tools": list(draft.tools) or None,
        "suite": draft.suite or None,
        "owners": draft.owners or None,
    }
    return {key: value for key, value in front.items() if value is not None}


def _body(draft: Draft, remarks: Remarks) -> str:
    turns = [(turn.role, _parts(turn)) for turn in draft.turns]
    kept = [(role, parts) for role, parts in turns if parts or role == "history"]
    if len(kept) < len(turns):
        remarks.add("an empty message was left out", "Nothing; a model sees no difference")
    if len(kept) == 1 and kept[0][0] == "user" and not kept[0][1][0].startswith("<<image"):
        return "\n".join(kept[0][1])
    return "\n\n".join("\n".join((f"<<{role}>>", *parts)) for role, parts in kept)


def _parts(turn: DraftTurn) -> list[str]:
    parts: list[str] = []
    for part in turn.parts:
        if isinstance(part, Path):
            parts.append(f"<<image {'.'.join(part.names)}>>")
            continue
        text = write_jinja(part, ours=True).replace("\r\n", "\n").strip()
        if text:
            parts.append(_MARKER.sub('{{ "<<" }}', text))
    return parts


def _is_mapping(schema: Schema) -> bool:
    return isinstance(schema.get("properties", {}), dict)
