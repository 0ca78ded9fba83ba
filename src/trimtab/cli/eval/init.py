"""`trimtab eval init`: a suite to start from."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["init_suite"]


def init_suite(
    name: Annotated[str, typer.Argument(help="Of the new folder below evals/.", metavar="NAME")],
    prompt: Annotated[
        str, typer.Option(help="The prompt that it is about.", show_default="none: cases ask")
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Write a suite with five example cases, made up from the prompt's schema."""
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.datasets.scaffold import scaffold_suite
    from trimtab.prompts.library import load_library

    folder = load_project(find_project_file(project)).folder
    library = load_library(folder)
    made = scaffold_suite(folder, name, library.prompt(prompt) if prompt else None)
    files = [file.relative_to(folder).as_posix() for file in made.files]
    if as_json:
        print_json({"suite": name, "files": files, "problems": made.problems})
        return
    for file in files:
        typer.echo(f"Wrote {file}")
    for case, problem in made.problems.items():
        typer.echo(f"warning: case {case} does not fit the prompt: {problem}")
    typer.echo("Put in what users really send and what a good answer has, then: trimtab eval check")
    if prompt and library.prompt(prompt).about.suite != name:
        typer.echo(
            f"So that a release asks for it, add to the prompt's front matter: suite: {name}"
        )
