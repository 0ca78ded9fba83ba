"""The only reader of the process environment, and where a project keeps its data."""

import os
from collections.abc import Mapping
from pathlib import Path

from trimtab.config.schema import Project

__all__ = ["DATA_FOLDER", "data_folder", "environment"]

DATA_FOLDER = ".trimtab"


def environment() -> Mapping[str, str]:
    """The variables of this process."""
    return os.environ


def data_folder(project: Project) -> Path:
    """Where ledger, events and rollups of `project` live. It may not exist yet."""
    return project.folder / DATA_FOLDER
