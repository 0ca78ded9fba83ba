"""Versions of a small prompt."""

from trimtab.prompts.diff.change import Change
from trimtab.prompts.diff.fields import field_changes
from trimtab.prompts.parse import parse_prompt
from trimtab.prompts.prompt import Prompt

TOOL = '{"name": "look", "description": "Looks.", "parameters": {"type": "object"}}'


def prompt(front: str = "", body: str = "Hello", *, model: str = "m", **files: str) -> Prompt:
    """A prompt with further lines of front matter; files by name without folder and ending."""
    texts = {
        "x.prompt.md": f"---\nmodel: {model}\n{front}\n---\n{body}\n",
        "_tools/look.json": TOOL,
        "_tools/find.json": TOOL,
    }
    texts |= {f"_partials/{name}.md": text for name, text in files.items()}
    return parse_prompt("x", texts.get)


def changes(old: str, new: str) -> list[Change]:
    """Changes of fields between two front matters."""
    return list(field_changes(prompt(old), prompt(new)))


def told(old: str, new: str) -> list[tuple[str, str, str, bool]]:
    """Path, kind, meaning and whether it breaks callers, of each change."""
    return [
        (change.path, change.kind, change.meaning, change.is_breaking)
        for change in changes(old, new)
    ]
