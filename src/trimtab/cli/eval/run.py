"""`trimtab eval run`: one setup on one suite."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.eval.options import (
    Budget,
    DryRun,
    Fresh,
    JudgeAgain,
    ModelName,
    Overrides,
    Repeats,
    Reports,
    SuiteName,
    nanousd_of,
    overrides_of,
)
from trimtab.cli.options import Json, ProjectFolder

__all__ = ["run"]


def run(
    suite: SuiteName,
    prompt: Annotated[
        str,
        typer.Option(help="PROMPT or PROMPT@V.", show_default="the suite's own, as its file is"),
    ] = "",
    model: ModelName = "",
    overrides: Overrides = None,
    repeats: Repeats = None,
    budget: Budget = None,
    fresh: Fresh = False,
    judge_again: JudgeAgain = False,
    dry_run: DryRun = False,
    report: Reports = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Ask every case, keep every answer, and say what the metrics are."""
    from trimtab.cli.eval.opened import open_suite
    from trimtab.cli.eval.order import new_order
    from trimtab.cli.eval.shown import show_quote, show_result
    from trimtab.evals.setups import Wish, resolve_setup

    opened = open_suite(project, suite)
    prompt_id, _, version = prompt.partition("@")
    wish = Wish(prompt_id, version, model, overrides_of(overrides))
    ready = resolve_setup(opened.project, opened.library, opened.suite, wish=wish)
    order = new_order(
        opened, "run", candidate=ready, repeats=repeats, budget_nanousd=nanousd_of(budget)
    )
    order = order._replace(fresh=fresh, judge_again=judge_again)
    if dry_run:
        show_quote(opened, order, as_json=as_json)
    else:
        show_result(opened, order, reports=report or [], as_json=as_json)
