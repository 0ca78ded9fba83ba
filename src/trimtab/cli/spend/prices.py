"""`trimtab spend prices`: what each model costs."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["prices"]

Model = Annotated[
    str,
    typer.Argument(
        help="Only this one: an alias, or provider:model.", show_default="all of the project"
    ),
]
At = Annotated[
    str,
    typer.Option(
        "--at", help="A day or a moment in UTC: 2026-10-01, 2026-10-01T14:30.", show_default="now"
    ),
]


def prices(
    model: Model = "",
    at: At = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """What each model costs per million tokens, since when, and where the price comes from."""
    from trimtab.cli.output import print_json
    from trimtab.cli.spend.moment import parse_moment_ns
    from trimtab.config.load import find_project_file, load_project
    from trimtab.spend.quotes import price_report
    from trimtab.types.clock import SystemClock

    at_ns = parse_moment_ns(at) if at else SystemClock.wall_ns()
    report = price_report(load_project(find_project_file(project)), at_ns, model=model)
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.prices_table import print_prices

        print_prices(report)
