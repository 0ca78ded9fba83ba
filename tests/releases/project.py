"""A project with one prompt, for tests of releases."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from trimtab.prompts.library import Library, load_library
from trimtab.prompts.prompt import Prompt
from trimtab.releases.edit import Author
from trimtab.releases.evidence import Evidence, suite_hash

NAME = "support/triage"
PIN = "one:gpt-5.2-2026-08-01"
ADA = Author("ada", datetime(2026, 11, 29, 12, 30, tzinfo=UTC), "because")

_TEXT = """\
---
model: main
config: {{temperature: {temperature}}}
input: {{schema: {{ticket: string}}}}
suite: {suite}
owners: ["@support", "@ml"]
---
<<system>>
You route tickets {words}.
<<user>>
{{{{ ticket }}}}
"""


def write(folder: Path, words: str, *, temperature: float = 0.2, suite: str = "triage") -> Library:
    """Write the prompt; answers the library as it is then."""
    file = folder / "prompts" / f"{NAME}.prompt.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = _TEXT.format(words=words, temperature=temperature, suite=suite)
    file.write_text(text, encoding="utf-8")
    return load_library(folder)


def prompt_of(library: Library) -> Prompt:
    """The prompt as its file is."""
    return library.prompts[NAME]


def write_suite(folder: Path, cases: str = "{}\n", name: str = "triage") -> None:
    """A suite of this name."""
    suite = folder / "evals" / name
    suite.mkdir(parents=True, exist_ok=True)
    (suite / "suite.toml").write_text("[suite]\n")
    (suite / "cases.jsonl").write_text(cases)


def write_evidence(
    folder: Path,
    library: Library,
    *,
    model: str = PIN,
    verdict: str = "pass",
    file: str = "a",
    hour: int = 12,
) -> Path:
    """A verdict on the prompt as its file is."""
    evidence = Evidence(
        prompt=NAME,
        prompt_hash=prompt_of(library).version_hash,
        model=model,
        suite="triage",
        suite_hash=suite_hash(folder, "triage"),
        verdict=verdict,  # pyright: ignore[reportArgumentType] - also ones that there are not
        at=f"2026-11-29T{hour:02}:00:00Z",
    )
    path = folder / "evals/triage/evidence" / f"{file}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.encode({**msgspec.to_builtins(evidence), "cases": 60}))
    return path
