"""All prompts that hide in a folder."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.hidden.dotenv import parse_dotenv
from trimtab.prompts.hidden.found import Candidate, HiddenPrompt, Kind
from trimtab.prompts.hidden.judge import judge, role_of
from trimtab.prompts.hidden.manifests import Entry, parse_compose, parse_manifest
from trimtab.prompts.hidden.naming import suggest_id
from trimtab.prompts.hidden.placeholders import split_any
from trimtab.prompts.hidden.python_source import parse_python
from trimtab.prompts.hidden.script_source import parse_script
from trimtab.prompts.hidden.secrets import mask_secrets
from trimtab.prompts.hidden.walk import walk_sources

__all__ = ["Survey", "find_hidden", "survey_hidden"]

_MOST_BYTES: Final = 1 << 20
_MOST_YAML_BYTES: Final = 256 << 10
_MOST_FILES: Final = 20_000
_MOST_BYTES_IN_ALL: Final = 256 << 20
_SNIFFED: Final = 8192
_COMPOSE: Final = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_COMPOSED: Final = re.compile(r"^services:", re.MULTILINE)
_MANIFEST: Final = re.compile(r"^kind: *\"?ConfigMap|\benv:|^kind: *\"?List", re.MULTILINE)
_OBJECT: Final = re.compile(r"^apiVersion:", re.MULTILINE)


class Survey(NamedTuple):
    """What was found, and what was not searched although it might hide a prompt."""

    prompts: list[HiddenPrompt]
    unread: list[Finding]


def find_hidden(folder: Path) -> list[HiddenPrompt]:
    """The prompts that hide in the files of `folder`, by file and line."""
    return survey_hidden(folder).prompts


def survey_hidden(folder: Path) -> Survey:
    """The prompts that hide in the files of `folder`, and the files that could not be searched.

    At most 20,000 files of at most 1 MiB each, and 256 MiB in all, are read; what is left out is
    among the unread.
    """
    prompts: list[HiddenPrompt] = []
    unread: list[Finding] = []
    left = _MOST_BYTES_IN_ALL
    for count, source in enumerate(walk_sources(folder)):
        if count >= _MOST_FILES or left <= 0:
            unread.append(
                Finding(
                    source.name,
                    "the folder is too large to be searched from here on",
                    "Search its parts",
                )
            )
            break
        text = _read(source.path)
        if text is None:
            continue
        left -= len(text)
        try:
            prompts += _search(source.name, text)
        except ConfigError as error:
            unread += error.findings
    return Survey(_with_unique_ids(prompts), unread)


def _read(path: Path) -> str | None:
    """The text of a file; None if it is too large, binary, or cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError:
        return None
    if len(content) > _MOST_BYTES or b"\0" in content[:_SNIFFED]:
        return None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _search(name: str, text: str) -> Iterator[HiddenPrompt]:
    for candidate in _candidates(name, text):
        judgement = judge(candidate, name)
        if judgement is not None:
            yield HiddenPrompt(
                file=name,
                line=candidate.line,
                end_line=candidate.end_line,
                kind=candidate.kind,
                name=candidate.name or candidate.home or "text",
                parts=mask_secrets(candidate.parts),
                role=role_of(candidate),
                confidence=judgement.confidence,
                why=judgement.why,
                prompt_id=suggest_id(candidate, name),
            )


def _candidates(name: str, text: str) -> Iterable[Candidate]:
    file = name.rpartition("/")[2]
    if file.endswith(".py"):
        return parse_python(name, text)
    if file.endswith((".yml", ".yaml")):
        return _in_yaml(name, text)
    if file.startswith(".env") or file.endswith(".env"):
        return (
            _setting("env", Entry(setting.name, setting.value, setting.line, setting.end_line, ""))
            for setting in parse_dotenv(text)
        )
    return parse_script(text)


def _in_yaml(name: str, text: str) -> Iterator[Candidate]:
    kind: Kind
    parse: Callable[[str, str], list[Entry]]
    if _COMPOSE.fullmatch(name.rpartition("/")[2]) or _COMPOSED.search(text):
        kind, parse = "compose", parse_compose
    elif _OBJECT.search(text) and _MANIFEST.search(text):
        kind, parse = "kubernetes", parse_manifest
    else:
        return
    if len(text) > _MOST_YAML_BYTES:
        problem = "it is larger than 256 KiB, so it was not searched"
        raise ConfigError([Finding(f"{name}:1", problem, "Divide it, or search it by hand")])
    for entry in parse(name, text):
        yield _setting(kind, entry)


def _setting(kind: Kind, entry: Entry) -> Candidate:
    return Candidate(
        kind=kind,
        line=entry.line,
        end_line=entry.end_line,
        name=entry.name,
        parts=split_any(entry.value),
        use="assigned",
        home=entry.home,
    )


def _with_unique_ids(prompts: list[HiddenPrompt]) -> list[HiddenPrompt]:
    """The same prompts by file and line; an id that is taken gets a number."""
    used: set[str] = set()
    named: list[HiddenPrompt] = []
    for prompt in sorted(prompts, key=_place):
        prompt_id, count = prompt.prompt_id, 1
        while prompt_id in used:
            count += 1
            prompt_id = f"{prompt.prompt_id}-{count}"
        used.add(prompt_id)
        named.append(replace(prompt, prompt_id=prompt_id))
    return named


def _place(prompt: HiddenPrompt) -> tuple[str, int, str]:
    return prompt.file, prompt.line, prompt.name
