"""`trimtab eval list`: which suites there are."""

from pathlib import Path

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["list_suites"]


def list_suites(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """List all suites: cases, prompt, evaluators, the last experiment and its verdict."""
    from trimtab.cli.eval.suite_rows import print_suites, suite_rows
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file

    rows = suite_rows(find_project_file(project))
    if as_json:
        print_json(rows)
    else:
        print_suites(rows)
