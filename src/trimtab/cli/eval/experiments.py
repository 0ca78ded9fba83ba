"""`trimtab eval experiments`: what was tried."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["experiments"]


def experiments(
    suite: Annotated[
        str | None,
        typer.Argument(help="Only those of this suite.", metavar="[SUITE]", show_default="all"),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=10_000, help="So many.")] = 20,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """List experiments, the newest first, with their verdicts."""
    from trimtab.archive import open_experiments
    from trimtab.cli.eval.experiment_rows import experiment_row, print_experiments
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.datasets.folder import check_name, suite_folder

    file = find_project_file(project)
    found = open_experiments(file).experiments(top, suite=suite)
    if suite is not None and not found:
        check_name(suite)
        suite_folder(file.parent, suite)  # which says which suites there are
    rows = [experiment_row(one) for one in found]
    if as_json:
        print_json(rows)
    else:
        print_experiments(rows)
