"""`trimtab prompts list`: what prompts there are."""

from pathlib import Path

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["list_prompts"]


def list_prompts(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """List all prompts: version, model, suite, whether they changed since the record, findings."""
    from trimtab.cli.output import print_json
    from trimtab.cli.prompts.facts import model_facts
    from trimtab.cli.prompts.list_table import print_prompts
    from trimtab.cli.prompts.opened import open_prompts
    from trimtab.cli.prompts.rows import rows_of
    from trimtab.prompts.lint import lint

    opened = open_prompts(project)
    rows = rows_of(opened.library, lint(opened.library, models=model_facts(opened.project)))
    if as_json:
        print_json(rows)
    else:
        print_prompts(rows)
