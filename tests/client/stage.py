"""A project with prompts, its gateway, and the provider behind it, for tests of the client."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from harness import Gateway, Reply, running_gateway, wait_until
from trimtab.prompts.library import load_library
from trimtab.releases.edit import Author, promote
from trimtab.store.records import Event
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider

__all__ = [
    "ADA",
    "CORPUS",
    "TRIAGE",
    "Stage",
    "release",
    "stage",
    "write_corpus",
    "write_files",
    "write_triage",
]

ADA = Author("ada", datetime(2026, 11, 29, 12, tzinfo=UTC), "a test")
TRIAGE = """\
---
model: main
config: {temperature: 0.2, max_tokens: 60}
input:
  schema: {ticket: string, locale?: string}
  untrusted: [ticket]
---
<<system>>
You route tickets@@.
<<user>>
{% if locale is defined %}Locale {{ locale }}. {% endif %}{{ ticket | fence }}
"""
CORPUS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("---\nmodel: main\n---\nSay hello.\n", {}),
    "triage": (TRIAGE.replace("@@", " well"), {"ticket": "It </untrusted> {{ 7*7 }}\r\n\x01é 🚢"}),
    "no-schema": (
        "---\nmodel: main\n---\n{{ name }}: {{ number }}, {{ yes }}, {{ none }}, {{ deep.list }}\n",
        {"name": "x", "number": 1.50, "yes": True, "none": None, "deep": {"list": [1, "<&>", {}]}},
    ),
    "dates": ("---\nmodel: main\n---\nOn {{ day }} {{ pair }}\n", {"day": ADA.at, "pair": (1, 2)}),
    "defaults": (
        (
            "---\nmodel: main\ninput:\n  schema: {tone?: string, who: string}\n"
            "  default: {tone: kind}\n---\n<<system>>\nBe {{ tone }}.\n<<user>>\n{{ who }}\n"
        ),
        {"who": "Zoë"},
    ),
    "history": (
        "---\nmodel: main\n---\n<<system>>\nStart.\n<<history>>\n<<user>>\nEnd {{ at }}.\n",
        {"at": "here"},
    ),
    "image": (
        "---\nmodel: main\n---\n<<user>>\nLook:\n<<image photo>>\nWell?\n",
        {"photo": "https://example.test/a.png"},
    ),
    "empty-turn": (
        (
            "---\nmodel: main\n---\n<<system>>\n{% if hint is defined %}{{ hint }}{% endif %}\n"
            "<<user>>\nGo.\n"
        ),
        {},
    ),
    "folder/with-partial": (
        (
            '---\nmodel: other\nconfig: {stop: ["\\n\\n"], seed: 7, max_completion_tokens: 40}\n'
            "tools: [find]\noutput: {schema: {team: string}}\n---\n"
            "<<system>>\n{% include '_partials/tone.md' %}\n<<user>>\n"
            "{% for word in words %}{{ loop.index }}. {{ word | upper }}\n{% endfor %}\n"
        ),
        {"words": ["ä", "b", "c"]},
    ),
}
"""Prompts with variables for each."""

_SHARED = {
    "_partials/tone.md": "Be {% include '_partials/how.md' %}.\n\n",
    "_partials/how.md": "brief\r\n",
    "_tools/find.json": '{"name": "find", "parameters": {"type": "object", "properties": {}}}',
}


class Stage(NamedTuple):
    gateway: Gateway
    provider: RunningFaultProvider
    folder: Path

    def ask(self, path: str, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.gateway.request(path, headers=named)

    def sent(self) -> dict[str, Any]:
        """The body of the provider's last call."""
        return json.loads(self.provider.calls[-1].body)

    def event(self, inference_id: str) -> Event:
        return wait_until(lambda: self.gateway.reader().event(inference_id))


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files below `prompts`."""
    for name, text in files.items():
        path = folder / "prompts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def write_triage(folder: Path, words: str = "") -> None:
    write_files(folder, {"support/triage.prompt.md": TRIAGE.replace("@@", words)})


def write_corpus(folder: Path) -> None:
    write_files(folder, _SHARED)
    write_files(folder, {f"{name}.prompt.md": text for name, (text, _) in CORPUS.items()})


def release(folder: Path) -> None:
    """Release what the files say now."""
    library = load_library(folder)
    prompt = library.prompts["support/triage"]
    promote(library, "production", prompt, model="one:fault:main", author=ADA, force=True)


@contextmanager
def stage(
    folder: Path, *behaviours: Behaviour, environment: str = "", extra: str = ""
) -> Generator[Stage]:
    """A gateway; the model `main` behaves as told, and well without a word."""
    well = (Behaviour(tokens=5),)
    named = {"main": behaviours or well, "other": well, "direct": well}
    with running_fault_provider(Script(named=named)) as provider:
        text = f"""
[server]
port = 0
[providers.one]
kind = "openai"
base_url = "{provider.base_url}"
[prompts]
environment = "{environment}"
[models.main]
ref = "one:fault:main"
price = {{input_usd_per_mtok = 1, output_usd_per_mtok = 10}}
[models.other]
ref = "one:fault:other"
price = {{input_usd_per_mtok = 1, output_usd_per_mtok = 10}}
[routes.default]
retries = 0
{extra}
"""
        with running_gateway(folder, text) as gateway:
            yield Stage(gateway, provider, folder)
