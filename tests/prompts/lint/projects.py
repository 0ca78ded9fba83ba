"""Projects for the tests of rules."""

from collections.abc import Mapping
from pathlib import Path

from prompts.files import library
from trimtab.prompts.lint import Lint, ModelFacts, lint

MODELS = {
    "fast": ModelFacts(ref="openai:gpt-4.1-2025-04-14", context_tokens=100_000),
    "floating": ModelFacts(ref="openai:gpt-5"),
    "own": ModelFacts(ref="local:smollm2", self_hosted=True),
    "small": ModelFacts(ref="openai:tiny-001", context_tokens=100),
}


def lints(project: Path, files: Mapping[str, str], rule: str = "") -> list[Lint]:
    """What lint says about a project with these files, or what one rule says."""
    found = lint(library(project, files), models=MODELS)
    return [one for one in found if rule in {"", one.rule}]


def told(project: Path, text: str, rule: str, **partials: str) -> list[str]:
    """`line: problem` of what one rule finds about the prompt `p`; partials by name."""
    files = {f"_partials/{name}.md": partial for name, partial in partials.items()}
    found = lints(project, {"p.prompt.md": text, **files}, rule)
    return [f"{one.place.partition('prompts/')[2]}: {one.problem}" for one in found]
