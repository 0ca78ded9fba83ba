"""Rules about the suite: named, and there."""

from collections.abc import Iterator
from pathlib import Path

from trimtab.prompts.lint.lints import Lint
from trimtab.prompts.lint.source import Source

__all__ = ["check_suite"]


def check_suite(source: Source, project: Path) -> Iterator[Lint]:
    """Whether something can say if a change of the prompt is good."""
    suite = source.front.suite
    if not suite:
        yield source.lint(
            "no-suite",
            source.key("suite"),
            "no suite: nothing can say whether a change is good",
            remedy=f"Name one: suite: {source.prompt.id.replace('/', '-')}",
        )
    elif not (project / "evals" / suite).is_dir():
        yield source.lint(
            "missing-suite",
            source.key("suite"),
            f"there is no folder evals/{suite[:80]}",
            remedy=f"Make it, with its cases in evals/{suite[:80]}/cases.jsonl",
        )
