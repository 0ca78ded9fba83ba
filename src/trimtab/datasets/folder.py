"""Where suites are: one folder each below `evals`, which nothing in it may lead out of."""

import difflib
import re
from pathlib import Path
from typing import Final

from trimtab.errors import UsageError

__all__ = ["CASES", "EVALS", "SUITE", "check_name", "check_word", "suite_folder", "suite_names"]

EVALS: Final = "evals"
SUITE: Final = "suite.toml"
CASES: Final = "cases.jsonl"

_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}")
_MOST_SHOWN: Final = 80


def check_word(text: str) -> bool:
    """Whether a text can name a suite, a case or an evaluator of a suite.

    Letters, digits, `-`, `_` and `.`, at most 120, the first one no `-` and no `.`.
    """
    return _WORD.fullmatch(text) is not None


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a suite.

    Raises:
        UsageError: it would not be a folder right below `evals`.
    """
    if not check_word(name):
        raise UsageError(
            f"{name[:_MOST_SHOWN]!r} is no name of a suite. Use letters, digits, -, _ and ., "
            f"as in support-triage; a suite is a folder right below {EVALS}."
        )


def suite_names(project: Path) -> list[str]:
    """The suites of a project, in order: folders below `evals` that have a `suite.toml`."""
    folder = project / EVALS
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if check_word(path.name) and _is_inside(path / SUITE)
    )


def suite_folder(project: Path, name: str) -> Path:
    """The folder of a suite, absolute.

    Raises:
        UsageError: that is no name, there is no such folder, or a link in it leads out of the
            project.
    """
    check_name(name)
    folder = (project / EVALS / name).absolute()
    if not folder.is_dir():
        raise UsageError(_unknown(project, name))
    inside = project.resolve()
    for path in (folder, folder / SUITE, folder / CASES):
        if not path.resolve().is_relative_to(inside):
            raise UsageError(f"{EVALS}/{name} leads out of the project. Copy the files into it.")
    return folder


def _is_inside(file: Path) -> bool:
    return file.is_file() and file.resolve().is_relative_to(file.parents[2].resolve())


def _unknown(project: Path, name: str) -> str:
    names = suite_names(project)
    near = difflib.get_close_matches(name, names, n=3)
    if near:
        return f"There is no suite {name!r}. Did you mean {' or '.join(near)}?"
    known = f" There are {', '.join(names[:5])}." if names else ""
    return f"There is no suite {name!r}.{known} Make it with `trimtab eval init {name}`."
