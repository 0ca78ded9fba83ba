"""`trimtab prompts`: the prompts of a project. One file per command, named like it."""

import typer

from trimtab.cli.prompts.adopt import adopt
from trimtab.cli.prompts.diff import diff
from trimtab.cli.prompts.formats import export_prompt, import_prompts
from trimtab.cli.prompts.history import blame, history
from trimtab.cli.prompts.lint import lint
from trimtab.cli.prompts.list import list_prompts
from trimtab.cli.prompts.record import record
from trimtab.cli.prompts.render import render
from trimtab.cli.prompts.show import show
from trimtab.cli.prompts.versions import drift, versions

__all__ = ["prompts"]

prompts = typer.Typer(
    help="Prompts as files: what there is, what is wrong with it, what a model gets to see.",
    no_args_is_help=True,
)


@prompts.callback()
def _prompts() -> None:
    pass


# What there is.
prompts.command("list")(list_prompts)
prompts.command()(show)
prompts.command()(render)
# Whether it is right.
prompts.command()(lint)
# What it was.
prompts.command()(diff)
prompts.command()(history)
prompts.command()(blame)
prompts.command()(record)
# How it does.
prompts.command()(versions)
prompts.command()(drift)
# What is no file yet, or somebody else's.
prompts.command()(adopt)
prompts.command("import")(import_prompts)
prompts.command("export")(export_prompt)
