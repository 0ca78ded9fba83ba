"""The files of a folder that may hide a prompt: bounded, sorted, none outside of it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from trimtab.prompts.hidden.found import word_set

__all__ = ["SourceFile", "is_test", "walk_sources"]

_SKIPPED: Final = word_set(
    ".git .hg .svn .jj .trimtab .venv venv virtualenv node_modules bower_components"
    " site-packages __pycache__ build dist out target .next .nuxt .output .svelte-kit .turbo"
    " .tox .nox .mypy_cache .pytest_cache .ruff_cache .cache .parcel-cache coverage htmlcov"
    " vendor third_party .terraform .idea .vscode .yarn .pnpm-store .gradle .eggs"
)
_TEST_FOLDERS: Final = word_set(
    "tests test testing __tests__ __mocks__ __fixtures__ fixtures testdata test_data e2e"
    " cypress spec specs"
)
_CODE: Final = frozenset((".py", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"))
_MOST_ENTRIES: Final = 200_000
_PROJECT: Final = "trimtab.toml"
_PROMPTS: Final = "prompts"


class SourceFile(NamedTuple):
    """A file below the folder: its path with slashes, and where it is."""

    name: str
    path: Path


def walk_sources(folder: Path) -> Iterator[SourceFile]:
    """All files by name: code, environment files and YAML; no tests, nothing built or installed.

    Links to folders are not followed; a link to a file is, if that is in the folder and is not
    met otherwise.
    """
    found: dict[str, Path] = {}
    links: list[tuple[str, Path]] = []
    waiting = [folder]
    entries = 0
    while waiting and entries < _MOST_ENTRIES:
        current = waiting.pop()
        inside = _entries(current)
        entries += len(inside)
        names = {entry.name for entry in inside}
        if "pyvenv.cfg" in names:
            continue
        below = [entry for entry in inside if entry.is_dir(follow_symlinks=False)]
        at_project = current == folder or _PROJECT in names
        waiting += [
            Path(entry.path) for entry in reversed(below) if _wanted(entry.name, at_project)
        ]
        for entry in inside:
            path = Path(entry.path)
            name = path.relative_to(folder).as_posix()
            if not _may_hide(name):
                continue
            if entry.is_symlink():
                links.append((name, path))
            elif entry.is_file(follow_symlinks=False):
                found[name] = path
    found.update(_linked(folder, links, found))
    for name in sorted(found):
        yield SourceFile(name, found[name])


def is_test(name: str) -> bool:
    """Whether a file belongs to tests, whose texts no model of the product sees."""
    *folders, file = name.split("/")
    if not _TEST_FOLDERS.isdisjoint(folders):
        return True
    stem = file.partition(".")[0]
    middle = file.split(".")[1:-1]
    return (
        stem.startswith("test_")
        or stem.endswith("_test")
        or stem == "conftest"
        or not {"test", "spec", "stories", "fixture", "mock"}.isdisjoint(middle)
    )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=_name)
    except OSError:
        return []


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _wanted(name: str, at_project: bool) -> bool:  # noqa: FBT001 - the caller's one question
    return (
        name not in _SKIPPED
        and not name.endswith(".egg-info")
        and not (at_project and name == _PROMPTS)
    )


def _may_hide(name: str) -> bool:
    file = name.rpartition("/")[2]
    suffix = os.path.splitext(file)[1]  # noqa: PTH122 - called for every file of a repository
    if suffix in _CODE:
        generated = ".min." in file or ".bundle." in file or file.endswith(".d.ts")
        return not generated and not is_test(name)
    environment = file == ".env" or file.startswith(".env.") or suffix == ".env"
    return (environment or suffix in {".yml", ".yaml"}) and not is_test(name)


def _linked(
    folder: Path, links: list[tuple[str, Path]], found: dict[str, Path]
) -> Iterator[tuple[str, Path]]:
    root = folder.resolve()
    seen = {path.relative_to(folder).as_posix() for path in found.values()}
    for name, path in links:
        try:
            target = path.resolve(strict=True)
            inside = target.relative_to(root).as_posix()
            regular = stat.S_ISREG(target.stat().st_mode)
        except (OSError, ValueError, RuntimeError):
            continue
        if regular and inside not in seen and _SKIPPED.isdisjoint(inside.split("/")):
            seen.add(inside)
            yield name, target
