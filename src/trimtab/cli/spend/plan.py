"""`trimtab spend plan`: what the product was expected to cost."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["plan"]

_REQUIRED = ("users", "requests", "input", "output", "model")


def plan(
    users: Annotated[int | None, typer.Option(help="Users on a day.")] = None,
    requests: Annotated[
        float | None, typer.Option(help="Requests of a user on a day, first ones only.")
    ] = None,
    input_tokens: Annotated[
        float | None, typer.Option("--input", help="Tokens of a request, cached ones included.")
    ] = None,
    output_tokens: Annotated[
        float | None, typer.Option("--output", help="Tokens of an answer.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Alias or route.")] = None,
    turns: Annotated[
        float | None, typer.Option(help="Requests in a session, if you have thought of it.")
    ] = None,
    cached: Annotated[
        float, typer.Option(help="Share of the input from prompt caches, 0 to 1.")
    ] = 0.0,
    growth: Annotated[
        float, typer.Option(help="Growth of the users in 30 days: 0.1 adds a tenth of them.")
    ] = 0.0,
    user_class: Annotated[
        str, typer.Option("--class", help="A class of the project, everyone, or others.")
    ] = "everyone",
    since: Annotated[
        str | None,
        typer.Option("--from", help="First day, as in 2026-10-01.", show_default="today"),
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Write down an estimate in plan.toml, or show what is there and what it comes to.

    An estimate needs --users, --requests, --input, --output and --model. It holds from its day on,
    until the next one; none is ever overwritten.
    """
    from trimtab.cli.output import print_json
    from trimtab.cli.spend.books import open_books
    from trimtab.config.plan import load_plan
    from trimtab.insights.estimates import planned_bills
    from trimtab.insights.finance_days import day_of
    from trimtab.types.clock import SystemClock

    books = open_books(project)
    today = day_of(SystemClock.wall_ns(), books.zone)
    given = dict(zip(_REQUIRED, (users, requests, input_tokens, output_tokens, model), strict=True))
    optional = {"turns": turns, "cached": cached, "growth": growth}
    if any(value is not None for value in given.values()) or any(optional.values()):
        from trimtab.cli.spend.new_estimate import add

        add(books, given | optional, (since, user_class), today=today)
    found = load_plan(books.project)
    bills = planned_bills(books, found, today)
    if as_json:
        print_json({"file": str(found.file), "estimates": bills})
    else:
        from trimtab.cli.spend.plan_table import print_plan

        print_plan(found.file, bills)
