"""Project files for the tests."""

from pathlib import Path

from trimtab.config.load import load_project
from trimtab.config.schema import Project
from trimtab.errors import ConfigError, Finding

KINDS = ("local", "openai")

MINIMAL = """\
[providers.openai]
api_key_env = "OPENAI_API_KEY"

[models.fast]
ref = "openai:gpt-4.1-mini"
"""


def load(folder: Path, text: str, **environ: str) -> Project:
    file = folder / "trimtab.toml"
    file.write_text(text, encoding="utf-8")
    return load_project(file, environ, kinds=KINDS)


def findings(folder: Path, text: str) -> list[Finding]:
    try:
        load(folder, text)
    except ConfigError as error:
        return error.findings
    return []
