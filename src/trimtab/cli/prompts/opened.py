"""What commands about prompts have in common: the project, and its prompts."""

from pathlib import Path
from typing import NamedTuple

from trimtab.config.load import find_project_file, load_project
from trimtab.config.schema import Project
from trimtab.errors import UsageError
from trimtab.prompts.library import FOLDER, Library, load_library
from trimtab.prompts.prompt import Prompt

__all__ = ["Opened", "open_prompts", "version_of"]


class Opened(NamedTuple):
    """A project, and its prompts as they are now."""

    project: Project
    library: Library


def open_prompts(folder: Path) -> Opened:
    """The prompts of the project in a folder, or in one above it.

    Raises:
        ConfigError: the project is wrong. A prompt that is wrong is a finding of the library.
        UsageError: there is no project, or it has no prompts.
    """
    project = load_project(find_project_file(folder))
    if not (project.folder / FOLDER).is_dir():
        raise UsageError(
            f"The project has no folder {project.folder / FOLDER}. Write the first prompt as "
            f"{FOLDER}/NAME.prompt.md: a line ---, `model: ALIAS`, a line ---, and the text."
        )
    return Opened(project, load_library(project.folder))


def version_of(library: Library, reference: str) -> Prompt:
    """The prompt that `support/triage` or `support/triage@v12` means.

    Raises:
        UnknownPrompt: there is none.
        ConfigError: its record is damaged.
    """
    prompt_id, _, version = reference.partition("@")
    return library.version(prompt_id, version) if version else library.prompt(prompt_id)
