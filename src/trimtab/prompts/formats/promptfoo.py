"""Promptfoo: `promptfooconfig.yaml`, whose prompts are texts or chats of JSON with Nunjucks.

Source: promptfoo.dev/docs/configuration (reference, prompts, chat).
"""

import re
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from trimtab.errors import ConfigError, UsageError
from trimtab.prompts.formats.border import (
    NOWHERE,
    Exported,
    Imported,
    ImportedPrompt,
    Origin,
    Remarks,
)
from trimtab.prompts.formats.draft import Draft, DraftTurn, finish, safe_id
from trimtab.prompts.formats.jinja_reader import read_jinja
from trimtab.prompts.formats.jinja_writer import write_jinja
from trimtab.prompts.formats.loading import list_of, load_yaml, mapping_of, refuse
from trimtab.prompts.formats.messages import MessageReader, chat_of, is_chat
from trimtab.prompts.formats.nodes import Node, Path, Value
from trimtab.prompts.formats.settings import response_format, take_response_format
from trimtab.prompts.formats.taken_apart import extras_of, turns_of, warn_of_filters
from trimtab.prompts.formats.yaml_lines import dump_yaml
from trimtab.prompts.prompt import Prompt

__all__ = ["Promptfoo"]

_FILE: Final = "file://"
_PATH: Final = re.compile(r"[\w./-]+\.(?:txt|json|ya?ml|md|j2|jinja|njk)")
_READABLE: Final = re.compile(r".+\.(?:txt|json|ya?ml|md|j2|jinja|njk)")
_DUMP: Final = re.compile(r"(\|\s*)dump\b(?:\(\))?(?=[^{}]*\}\})")
_MISSING: Final = frozenset(
    ("bool", "count", "d", "items", "map", "max", "min", "split", "tojson", "unique")
)
_KNOWN: Final = frozenset(("description", "metadata", "prompts", "providers", "$schema"))
_WHOLE: Final = re.compile(r"\{\{\s*(\w+)\s*\|\s*dump\s*\}\}")
_HISTORY: Final = "{{ history }}"


class Promptfoo:
    """The format."""

    ending = ".yaml"

    def import_(self, text: str, origin: Origin = NOWHERE) -> Imported:
        """All prompts of a configuration, each with its first provider as model."""
        config = mapping_of(load_yaml(text, origin.file))
        if "prompts" not in config:
            refuse(
                origin.file, "there are no prompts", "Give a promptfooconfig.yaml with `prompts:`"
            )
        remarks = Remarks(origin.file)
        for name in sorted(set(config) - _KNOWN):
            remarks.add(
                f"{name[:40]} was left out", "Write cases and checks as a suite of the prompt"
            )
        model, settings = _provider(config.get("providers"), remarks)
        prompts: list[ImportedPrompt] = []
        taken: set[str] = set()
        for number, written in enumerate(_listed(config["prompts"]), 1):
            one = _Written(written, number, origin)
            draft = one.draft(config, model, settings)
            while draft.id in taken:
                draft.id = f"{draft.id}-{number}"
            taken.add(draft.id)
            prompts.append(finish(draft, origin, one.remarks))
        return Imported(tuple(prompts), tuple(remarks.all))

    def export(self, prompt: Prompt) -> Exported:
        """A configuration with one prompt and no cases; partials are put in their places."""
        remarks = Remarks(prompt.id)
        turns = turns_of(prompt, remarks, inline=True)
        settings: dict[str, Any] = {**prompt.behaviour.config, **response_format(prompt)}
        if prompt.behaviour.tools:
            settings["tools"] = list(prompt.behaviour.tools.values())
        one: dict[str, Any] = {"id": prompt.id, "label": prompt.id, "raw": _raw(turns, remarks)}
        if settings:
            one["config"] = settings
        kept = ["input", "defaults"]
        if prompt.behaviour.config.keys() & {"response_format", "tools"}:
            kept.append("config")
        extras = extras_of(prompt, *kept)
        whole = {
            "description": prompt.about.description,
            "prompts": [one],
            "providers": [prompt.behaviour.model],
            "metadata": {"trimtab": extras} if extras else {},
        }
        remarks.add(
            "the provider is our alias", "Name it as promptfoo does, as in openai:chat:MODEL"
        )
        text = dump_yaml({name: value for name, value in whole.items() if value})
        return Exported(text, {}, tuple(remarks.all))


# ---------------------------------------------------------------- import


class _Written:
    """One entry of `prompts`."""

    def __init__(self, written: object, number: int, origin: Origin) -> None:
        entry = mapping_of(written)
        self._entry = entry
        raw = entry.get("raw", entry.get("id", "")) if entry else written
        self._text = raw if isinstance(raw, str) else msgspec.json.encode(raw).decode()
        own_id = str(entry.get("id") or "")
        name = own_id if own_id and not _is_file(own_id) else entry.get("label") or ""
        if not name or str(name).startswith(_FILE) or (entry and name == raw):
            name = self._text.rpartition("/")[2].partition(".")[0] if _is_file(self._text) else ""
        own = origin.file.rpartition("/")[2].partition(".")[0]
        self._id = safe_id(str(name) or f"{own}-{number}")
        self.remarks = Remarks(f"{origin.file}: {self._id}")
        self._origin = origin

    def draft(self, config: dict[str, Any], model: str, settings: dict[str, Any]) -> Draft:
        """The prompt, with what the configuration says for all."""
        draft = Draft(id=self._id, model=model, description=str(config.get("description") or ""))
        own = {**settings, **mapping_of(self._entry.get("config"))}
        tools = own.pop("tools", None)
        for tool in list_of(tools):
            draft.take_tool(tool, self.remarks)
        draft.take_config(own, self.remarks)
        take_response_format(draft, self.remarks)
        draft.take_extras(mapping_of(config.get("metadata")).get("trimtab"), self.remarks)
        further = set(self._entry) - {"id", "label", "raw", "config"}
        for name in sorted(further):
            self.remarks.add(f"{name[:40]} was left out", "Write it into the text")
        draft.turns = self._turns()
        return draft

    def _turns(self) -> list[DraftTurn]:
        text = self._text
        if _is_file(text):
            text = self._of_file(text.removeprefix(_FILE))
        reader = MessageReader(self._read, self._image, self.remarks)
        value = self._value(text)
        if (whole := _WHOLE.fullmatch(text.strip())) is not None:
            self.remarks.add(
                f"all messages are the variable {whole[1][:40]!r}; they are those of the call here",
                "Send them as `messages` beside `prompt`",
            )
            return [DraftTurn("history", [])]
        if text.startswith("exec:"):
            self.remarks.add(
                "a program makes this prompt; its name stays in the text", "Write the text itself"
            )
        if is_chat(value):
            return [
                DraftTurn("history", []) if mapping_of(one).get("content") == _HISTORY else turn
                for one, turn in zip(cast("list[object]", value), reader.turns(value), strict=True)
            ]
        return [reader.turn("user", text)]

    def _of_file(self, name: str) -> str:
        text = self._origin.read(name) if _READABLE.fullmatch(name) else None
        if text is not None:
            return text
        self.remarks.add(
            f"the text is in {name[:60]!r}, which cannot be read; its name stays in the text",
            "Import the folder that has it; a program that makes prompts must be rewritten",
        )
        return self._text

    def _value(self, text: str) -> Any:  # noqa: ANN401 - a JSON value of any kind
        name = self._text
        try:
            if _is_file(name) and name.endswith((".yaml", ".yml")):
                return load_yaml(text, name)
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, ConfigError, RecursionError, UnicodeEncodeError):
            return None

    def _read(self, text: str) -> tuple[Node, ...]:
        text = _DUMP.sub(r"\1tojson", text)
        return read_jinja(text, ours=False, remarks=self.remarks, read=self._origin.read)

    def _image(self, text: str) -> Path | None:
        match read_jinja(text.strip(), ours=False, remarks=Remarks()):
            case (Value(Path() as path),):
                return path
            case _:
                return None


def _is_file(text: str) -> bool:
    return text.startswith(_FILE) or _PATH.fullmatch(text) is not None


def _listed(prompts: object) -> Sequence[object]:
    if isinstance(prompts, list) and prompts:
        return cast("Sequence[object]", prompts)
    if isinstance(prompts, dict) and prompts:  # the older form: file -> label
        named = cast("dict[str, object]", prompts)
        return [{"raw": file, "label": label} for file, label in named.items()]
    if isinstance(prompts, str) and prompts:
        return [prompts]
    raise UsageError("`prompts` is empty. Give a configuration with at least one prompt.")


def _provider(providers: object, remarks: Remarks) -> tuple[str, dict[str, Any]]:
    several = cast("list[object]", providers) if isinstance(providers, list) else [providers]
    first = several[0] if several else None
    if len(several) > 1:
        remarks.add(
            "only the first provider became the model",
            "Add the others to the route in trimtab.toml",
        )
    if isinstance(first, str):
        return first, {}
    entry = mapping_of(first)
    if len(entry) == 1 and "id" not in entry:
        name, inner = next(iter(entry.items()))
        return name, dict(mapping_of(mapping_of(inner).get("config")))
    return str(entry.get("id") or ""), dict(mapping_of(entry.get("config")))


# ---------------------------------------------------------------- export


def _raw(turns: list[DraftTurn], remarks: Remarks) -> str:
    def write(nodes: Sequence[Node]) -> str:
        warn_of_filters(nodes, _MISSING, remarks)
        return write_jinja(nodes, ours=False)

    if len(turns) == 1 and turns[0].role == "user" and len(turns[0].parts) == 1:
        text = chat_of(turns, write)[0]["content"]
        if isinstance(text, str) and not _is_file(text) and text[:1] not in '[{"0123456789-tfn':
            return text
    chat: list[dict[str, Any]] = []
    for turn in turns:
        if turn.role == "history":
            remarks.add(
                "earlier messages are one message with a variable there", "Pass them as `history`"
            )
            chat.append({"role": "user", "content": _HISTORY})
        else:
            chat += chat_of([turn], write)
    return msgspec.json.format(msgspec.json.encode(chat)).decode()
