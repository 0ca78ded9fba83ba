"""`trimtab prompts render`: what a model would get to see."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder
from trimtab.cli.prompts.argument import PromptVersion

__all__ = ["render"]


def render(
    prompt: PromptVersion,
    var: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A variable. JSON, unless the schema wants text or it is none.",
            show_default=False,
        ),
    ] = None,
    vars_file: Annotated[
        str,
        typer.Option(
            "--vars",
            metavar="FILE",
            help="A JSON object with variables; - for standard input.",
            show_default=False,
        ),
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show the messages that a version of a prompt makes of variables. No model is called."""
    from trimtab.cli.output import print_json
    from trimtab.cli.prompts.chat import print_chat
    from trimtab.cli.prompts.opened import open_prompts, version_of
    from trimtab.cli.prompts.variables import read_variables

    library = open_prompts(project).library
    found = version_of(library, prompt)
    variables = read_variables(vars_file, var or [], found.behaviour.input)
    rendered = found.render(variables)
    if not as_json:
        print_chat(rendered)
        return
    print_json(
        {
            "prompt": found.id,
            "version": library.label(found),
            "hash": found.version_hash,
            "model": found.behaviour.model,
            "messages": rendered.with_own(),
            "history_at": len(rendered.messages),
        }
    )
