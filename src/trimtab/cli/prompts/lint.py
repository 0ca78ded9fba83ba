"""`trimtab prompts lint`: what is wrong with prompts, without running them."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["lint"]


def lint(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Only these prompts.", show_default="all"),
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Check prompts; exit 1 if there is an error. The rules are in docs/prompts.md."""
    from trimtab.cli.output import print_json
    from trimtab.cli.prompts.facts import model_facts
    from trimtab.cli.prompts.opened import open_prompts
    from trimtab.prompts.library import prompt_ids
    from trimtab.prompts.lint import lint as lint_all

    opened = open_prompts(project)
    there = set(prompt_ids(opened.library.folder))
    for prompt_id in ids or ():
        if prompt_id not in there:
            opened.library.prompt(prompt_id)  # which says what is there
    lints = lint_all(opened.library, models=model_facts(opened.project))
    if ids:
        lints = [
            one for one in lints if one.prompt in ids or (one.rule == "file" and not one.prompt)
        ]
    errors = sum(one.severity == "error" for one in lints)
    if as_json:
        print_json({"ok": not errors, "errors": errors, "lints": lints})
    else:
        for one in lints:
            typer.echo(f"{one.severity}: {one.place}: {one.problem}. {one.remedy}. [{one.rule}]")
        count = len(ids) if ids else len(there)
        typer.echo(
            f"{count} prompt{'s' * (count != 1)}: {errors} error{'s' * (errors != 1)}, "
            f"{len(lints) - errors} warning{'s' * (len(lints) - errors != 1)}."
        )
    if errors:
        raise typer.Exit(1)
