"""`trimtab prompts show`: everything that makes a version."""

from pathlib import Path

import typer

from trimtab.cli.options import Json, ProjectFolder
from trimtab.cli.prompts.argument import PromptVersion

__all__ = ["show"]


def show(prompt: PromptVersion, project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """Show a version of a prompt: front matter, body, partials and variables."""
    from trimtab.cli.output import print_json
    from trimtab.cli.prompts.opened import open_prompts, version_of
    from trimtab.cli.prompts.sheet import sheet_of

    library = open_prompts(project).library
    sheet = sheet_of(library, version_of(library, prompt))
    if as_json:
        print_json(sheet)
        return
    typer.echo(f"{sheet.id} {sheet.version} ({sheet.hash})\n")
    typer.echo(f"---\n{sheet.front_matter}\n---\n{sheet.body}")
    for name, text in sheet.partials.items():
        typer.echo(f"\n# prompts/{name}\n{text}")
    typer.echo("\n# variables")
    for variable in sheet.variables:
        typer.echo(f"{variable.name}: {variable.words}")
    if not sheet.variables:
        typer.echo("none")
