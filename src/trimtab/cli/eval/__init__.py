"""`trimtab eval`: suites, experiments and gates. One file per command, named like it."""

import typer

from trimtab.cli.eval.aa import aa
from trimtab.cli.eval.add import add_case
from trimtab.cli.eval.calibrate import calibrate
from trimtab.cli.eval.cases import cases
from trimtab.cli.eval.check import check_suites
from trimtab.cli.eval.coverage import coverage
from trimtab.cli.eval.experiments import experiments
from trimtab.cli.eval.gate import gate
from trimtab.cli.eval.import_ import import_suite
from trimtab.cli.eval.init import init_suite
from trimtab.cli.eval.list import list_suites
from trimtab.cli.eval.power import power
from trimtab.cli.eval.report import report
from trimtab.cli.eval.run import run

__all__ = ["evals"]

evals = typer.Typer(
    help="Whether a prompt, a model or a temperature is good enough, with the numbers.",
    no_args_is_help=True,
)


@evals.callback()
def _evals() -> None:
    pass


# Suites.
evals.command("list")(list_suites)
evals.command("init")(init_suite)
evals.command("import")(import_suite)
evals.command("check")(check_suites)
evals.command("add")(add_case)
# Experiments.
evals.command()(run)
evals.command()(gate)
evals.command()(experiments)
evals.command()(report)
# What a suite can tell.
evals.command()(power)
evals.command()(aa)
evals.command()(cases)
evals.command()(coverage)
# Who judges.
evals.command()(calibrate)
