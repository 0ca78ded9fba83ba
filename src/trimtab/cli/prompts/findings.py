"""What `trimtab check` says about prompts."""

from trimtab.cli.prompts.facts import model_facts
from trimtab.config.schema import Project
from trimtab.errors import Finding
from trimtab.prompts.library import FOLDER, load_library
from trimtab.prompts.lint import lint

__all__ = ["check_prompts"]


def check_prompts(project: Project) -> tuple[list[Finding], list[Finding]]:
    """Errors and warnings about the prompts of a project; none without a folder."""
    if not (project.folder / FOLDER).is_dir():
        return [], []
    found = lint(load_library(project.folder), models=model_facts(project))
    findings = [
        (one.severity, Finding(one.place, f"{one.problem} [{one.rule}]", one.remedy))
        for one in found
    ]
    return (
        [finding for severity, finding in findings if severity == "error"],
        [finding for severity, finding in findings if severity == "warning"],
    )
