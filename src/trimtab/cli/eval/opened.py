"""What commands about suites have in common: the project, its prompts, a suite."""

from pathlib import Path
from typing import NamedTuple

from trimtab.config.load import find_project_file, load_project
from trimtab.config.schema import Project
from trimtab.datasets.load import load_suite
from trimtab.datasets.suite import Suite
from trimtab.errors import TrimtabError
from trimtab.evals.registry import SuiteEvaluators, load_evaluators
from trimtab.prompts.library import Library, load_library

__all__ = ["OpenedSuite", "declares_schema", "open_suite"]


class OpenedSuite(NamedTuple):
    """A suite, in its project.

    Attributes:
        file: the project's.
        project: as the file says.
        library: the prompts.
        suite: with its cases.
        evaluators: of the suite.
    """

    file: Path
    project: Project
    library: Library
    suite: Suite
    evaluators: SuiteEvaluators


def open_suite(folder: Path, name: str) -> OpenedSuite:
    """A suite of the project in a folder, or in one above it.

    Raises:
        ConfigError: project or suite are wrong; carries every finding.
        UsageError: there is no project, or no such suite.
    """
    file = find_project_file(folder)
    project = load_project(file)
    library = load_library(project.folder)
    suite = load_suite(project.folder, name)
    evaluators = load_evaluators(suite, schema_declared=declares_schema(library, suite))
    return OpenedSuite(file, project, library, suite, evaluators)


def declares_schema(library: Library, suite: Suite) -> bool:
    """Whether the prompt of a suite says what form answers must have."""
    if not suite.prompt:
        return False
    try:
        return library.prompt(suite.prompt).behaviour.output is not None
    except TrimtabError:  # which is said where the prompt is needed
        return False
