"""A project in a real git repository."""

import subprocess
from pathlib import Path

from trimtab.prompts.library import Library, load_library

TRIAGE = """---
model: support-main
input: {schema: {ticket: string}}
---
You triage tickets.
{% include "_partials/tone.md" %}
<<user>>
{{ ticket }}
"""
TONE = "Be kind.\n"


class Commits:
    """Writes files and commits them, one hour after the other.

    Args:
        root: of the repository.
        project: folder of the project in it.
    """

    def __init__(self, root: Path, project: Path) -> None:
        self.root = root
        self.project = project
        self._hours = 0
        (project / "prompts").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", ".")

    @property
    def library(self) -> Library:
        return load_library(self.project)

    def git(self, *arguments: str, author: str = "Ada") -> str:
        when = f"2026-01-01T{self._hours:02}:00:00+02:00"
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_NAME": author,
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            "GIT_COMMITTER_DATE": when,
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=environment, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def write(self, files: dict[str, str | bytes | None]) -> None:
        """Files below `prompts`; None takes one away."""
        for name, text in files.items():
            file = self.project / "prompts" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                file.unlink()
            else:
                file.write_bytes(text.encode() if isinstance(text, str) else text)

    def commit(
        self, subject: str, files: dict[str, str | bytes | None], *, author: str = "Ada"
    ) -> str:
        """The id of a commit with these files."""
        self.write(files)
        self._hours += 1
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject, author=author)
        return self.git("rev-parse", "HEAD")


def commits_in(folder: Path, *, below: str = "") -> Commits:
    """A new repository whose project is its root, or a folder below it."""
    root = folder / "repository"
    root.mkdir()
    return Commits(root, root / below)
