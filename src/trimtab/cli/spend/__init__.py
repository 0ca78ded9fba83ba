"""`trimtab spend`: what it costs, and who causes it. One file per command, named like it."""

import typer

from trimtab.cli.spend.budgets import budgets
from trimtab.cli.spend.explain import explain
from trimtab.cli.spend.forecast import forecast
from trimtab.cli.spend.keys import keys
from trimtab.cli.spend.plan import plan
from trimtab.cli.spend.prices import prices
from trimtab.cli.spend.reconcile import reconcile
from trimtab.cli.spend.reprice import reprice
from trimtab.cli.spend.users import users
from trimtab.cli.spend.waste import waste

__all__ = ["spend"]

spend = typer.Typer(help="What it costs, and who causes it.", no_args_is_help=True)


@spend.callback()
def _spend() -> None:
    pass


spend.command()(users)
spend.command()(keys)
spend.command()(budgets)
spend.command()(prices)
spend.command()(reprice)
spend.command()(reconcile)
spend.command()(plan)
spend.command()(explain)
spend.command()(forecast)
spend.command()(waste)
