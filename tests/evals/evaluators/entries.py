"""Entry points: those of this folder's `pyproject.toml`, and a package that has any."""

import importlib
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from trimtab.plugins import EVALUATORS

ROOT = Path(__file__).parents[3]


def built_in_entries() -> dict[str, str]:
    """The evaluators that trimtab registers, as `module:attribute` by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["entry-points"][EVALUATORS]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, entries: Mapping[str, str]) -> None:
    """Make a package known whose evaluators take the place of trimtab's own.

    It has the name of trimtab, and the import system takes the first of a name.
    """
    info = folder / "trimtab-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trimtab\nVersion: 0\n")
    lines = [f"[{EVALUATORS}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    put_first(folder, monkeypatch)


def put_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let packages and modules be found in a folder before others."""
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    importlib.invalidate_caches()
