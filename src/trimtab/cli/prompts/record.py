"""`trimtab prompts record`: puts a version on record."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["record"]


def record(
    prompt: Annotated[str, typer.Argument(metavar="ID", help="A prompt, such as support/triage.")],
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Give the prompt as it is now the next number, and keep its files under it for ever."""
    from trimtab.cli.output import print_json
    from trimtab.cli.prompts.opened import open_prompts
    from trimtab.cli.who import today
    from trimtab.prompts.recording import record_version

    library = open_prompts(project).library
    recorded = record_version(library, library.prompt(prompt), today=today())
    name, file = recorded.record.name, recorded.file
    if as_json:
        print_json(
            {
                "prompt": prompt,
                "version": name,
                "hash": recorded.record.hash,
                "file": str(file),
                "new": recorded.new,
            }
        )
    elif recorded.new:
        typer.echo(f"{prompt} is on record as {name}. Commit {file}.")
    else:
        typer.echo(f"{prompt} is already {name}.")
