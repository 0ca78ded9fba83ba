"""`trimtab check`: is the project folder right?"""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["check"]


def check(
    releases: Annotated[
        bool, typer.Option("--releases", help="Also whether the release files are true; for CI.")
    ] = False,
    env: Annotated[
        bool,
        typer.Option("--env", help="Also whether prompts hide in .env files, manifests and code."),
    ] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Validate the project folder: syntax, names, prices, keys in the environment, prompts."""
    from trimtab.app import check_project
    from trimtab.cli.output import print_json
    from trimtab.cli.prompts.adopt import hidden_findings
    from trimtab.cli.prompts.findings import check_prompts
    from trimtab.config.load import find_project_file, load_project
    from trimtab.errors import ConfigError
    from trimtab.releases.verify import verify_releases

    file = find_project_file(project)
    try:
        loaded = load_project(file)
        errors, warnings = check_project(loaded)
        prompt_errors, prompt_warnings = check_prompts(loaded)
        errors, warnings = errors + prompt_errors, warnings + prompt_warnings
        if env:
            warnings = [*warnings, *hidden_findings(loaded.folder)]
        if releases:
            more = verify_releases(loaded)
            errors, warnings = [*errors, *more[0]], [*warnings, *more[1]]
    except ConfigError as error:
        errors, warnings = error.findings, []
    if as_json:
        print_json(
            {
                "ok": not errors,
                "file": str(file),
                "errors": [finding._asdict() for finding in errors],
                "warnings": [finding._asdict() for finding in warnings],
            }
        )
    else:
        for finding in errors:
            typer.echo(f"error: {finding}")
        for finding in warnings:
            typer.echo(f"warning: {finding}")
        if not errors:
            typer.echo(f"{file} is valid.")
    if errors:
        raise typer.Exit(1)
