"""`trimtab eval report`: an experiment that is over, once more."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.eval.options import Reports
from trimtab.cli.options import Json, ProjectFolder

__all__ = ["report"]


def report(
    experiment: Annotated[
        str, typer.Argument(help="Its id, as `trimtab eval experiments` lists it; or last.")
    ],
    reports: Reports = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show the result of an experiment, and write its reports. Asks nothing."""
    from trimtab.archive import open_experiments
    from trimtab.cli.eval.shown import report_files, write_reports
    from trimtab.cli.output import console, print_json
    from trimtab.config.load import find_project_file
    from trimtab.evals.kept import kept_result
    from trimtab.evals.reports.json_report import report_of
    from trimtab.evals.reports.terminal import TerminalReport

    files = report_files(reports or ())
    result = kept_result(open_experiments(find_project_file(project)), experiment)
    if as_json:
        print_json(report_of(result))
    else:
        console.print(TerminalReport(result))
    write_reports(result, files, as_json=as_json)
