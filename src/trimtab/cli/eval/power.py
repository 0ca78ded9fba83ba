"""`trimtab eval power`: what a suite can tell, at other numbers of cases and repeats."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.eval.options import ModelName, SuiteName
from trimtab.cli.options import Json, ProjectFolder

__all__ = ["power"]


def power(
    suite: SuiteName,
    candidate: Annotated[str, typer.Option(help="Whose earlier answers tell the spread.")] = (
        "draft"
    ),
    model: ModelName = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """How often a gate passes what is no worse, and which drop it finds. Asks nothing."""
    from trimtab.archive import open_experiments
    from trimtab.cli.eval.opened import open_suite
    from trimtab.cli.eval.order import new_order
    from trimtab.cli.eval.power_table import print_power
    from trimtab.cli.output import print_json
    from trimtab.evals.outlook import grid_of
    from trimtab.evals.scores import Scores
    from trimtab.evals.setups import Wish, resolve_setup

    opened = open_suite(project, suite)
    wish = Wish("", candidate, model)
    ready = resolve_setup(opened.project, opened.library, opened.suite, wish=wish)
    order = new_order(opened, "gate", candidate=ready)
    scores = Scores(
        open_experiments(opened.file),
        ready.setup.hash,
        opened.suite.cases,
        evaluators=opened.evaluators.evaluators,
        repeats=order.repeats,
    )
    grid = grid_of(scores.metrics(), order.frame())
    if as_json:
        print_json([cell._asdict() for cell in grid])
    else:
        print_power(opened.suite.name, grid)
