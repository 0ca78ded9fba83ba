"""All commands under one name."""

from typing import Annotated

import typer

from trimtab.cli.alerts import alerts
from trimtab.cli.check import check
from trimtab.cli.demo import demo
from trimtab.cli.eval import evals
from trimtab.cli.faults import faults
from trimtab.cli.feedback import feedback
from trimtab.cli.init import init
from trimtab.cli.keys import keys
from trimtab.cli.latency import latency
from trimtab.cli.ledger import ledger
from trimtab.cli.prompts import prompts
from trimtab.cli.release import release
from trimtab.cli.spend import spend
from trimtab.cli.up import up

__all__ = ["program"]

program = typer.Typer(
    name="trimtab",
    help="One process between your application and its model providers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"trimtab {version('trimtab')}")
        raise typer.Exit


@program.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


program.command()(init)
program.command()(up)
program.command()(demo)
program.command()(check)
program.add_typer(keys, name="keys")
program.add_typer(release, name="release")
program.add_typer(prompts, name="prompts")
program.add_typer(evals, name="eval")
program.add_typer(spend, name="spend")
program.command()(latency)
program.add_typer(feedback, name="feedback")
program.add_typer(alerts, name="alerts")
program.add_typer(ledger, name="ledger")
program.command()(faults)
