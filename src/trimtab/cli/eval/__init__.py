"""`trimtab eval`: suites, experiments and gates. One file per command, named like it."""

import typer

from trimtab.cli.eval.aa import aa
from trimtab.cli.eval.gate import gate
from trimtab.cli.eval.power import power
from trimtab.cli.eval.run import run

__all__ = ["evals"]

evals = typer.Typer(
    help="Whether a prompt, a model or a temperature is good enough, with the numbers.",
    no_args_is_help=True,
)


@evals.callback()
def _evals() -> None:
    pass


# Experiments.
evals.command()(run)
evals.command()(gate)
# What a suite can tell.
evals.command()(power)
evals.command()(aa)
