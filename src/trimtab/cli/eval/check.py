"""`trimtab eval check`: are suites right, and can they tell anything?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.cli.eval.checked import CheckedSuite

__all__ = ["check_suites"]


def check_suites(
    suite: Annotated[
        str | None,
        typer.Argument(help="Only this one.", metavar="[SUITE]", show_default="all"),
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Check suites; exit 1 on a finding. Notes say what makes a suite tell less than it seems."""
    from trimtab.cli.eval.checked import check_suite
    from trimtab.cli.output import named, print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.datasets.folder import EVALS, suite_folder, suite_names
    from trimtab.errors import UsageError
    from trimtab.prompts.library import load_library

    folder = load_project(find_project_file(project)).folder
    names = suite_names(folder) if suite is None else [suite_folder(folder, suite).name]
    if not names:
        raise UsageError(
            f"The folder {EVALS} has no suite. Make one with `trimtab eval init NAME`."
        )
    library = load_library(folder)
    checked = [check_suite(library, folder, name) for name in names]
    if as_json:
        print_json(named(checked))
    else:
        for one in checked:
            _tell(one)
    if any(one.findings for one in checked):
        raise typer.Exit(1)


def _tell(one: "CheckedSuite") -> None:
    from trimtab.looks.words import several

    for finding in one.findings:
        typer.echo(f"{finding.severity}: {finding.place}: {finding.problem}. {finding.remedy}")
    for note in one.notes:
        typer.echo(f"note: evals/{one.suite}: {note}")
    cases = "" if one.cases is None else f"{several(one.cases, 'case')}, "
    typer.echo(f"{one.suite}: {cases}{several(len(one.findings), 'finding')}.")
