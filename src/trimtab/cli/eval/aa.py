"""`trimtab eval aa`: how often the gate blocks what is the same."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.eval.options import (
    Budget,
    ModelName,
    Overrides,
    Repeats,
    SuiteName,
    nanousd_of,
    overrides_of,
)
from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.evals.identical import Identical

__all__ = ["aa"]


def aa(
    suite: SuiteName,
    candidate: Annotated[str, typer.Option(help="The version: v12, a hash, or draft.")] = "draft",
    model: ModelName = "",
    overrides: Overrides = None,
    repeats: Repeats = None,
    budget: Budget = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Compare a setup with itself, often, on its own answers.

    Each case is asked twice as often as in a gate; what is there is not asked again. Then its
    repeats are divided at random into two setups, 500 times.
    """
    from trimtab.archive import open_experiments
    from trimtab.cli.eval.opened import open_suite
    from trimtab.cli.eval.order import new_order
    from trimtab.cli.eval.session import conduct, exit_code
    from trimtab.cli.output import print_json
    from trimtab.evals.identical import judge_identical
    from trimtab.evals.scores import Scores
    from trimtab.evals.setups import Wish, resolve_setup

    opened = open_suite(project, suite)
    wish = Wish("", candidate, model, overrides_of(overrides))
    ready = resolve_setup(opened.project, opened.library, opened.suite, wish=wish)
    each = repeats or opened.suite.repeats
    order = new_order(
        opened, "aa", candidate=ready, repeats=2 * each, budget_nanousd=nanousd_of(budget)
    )
    result = conduct(opened, order, quiet=as_json)
    if result.answered < result.planned:
        for line in (*result.notes, "Not all answers are there, so nothing is said."):
            typer.echo(line, err=True)
        raise typer.Exit(exit_code(result) or 3)
    scores = Scores(
        open_experiments(opened.file),
        ready.setup.hash,
        opened.suite.cases,
        evaluators=opened.evaluators.evaluators,
        repeats=2 * each,
    )
    frame = order._replace(kind="gate", repeats=each).frame()  # as its first look
    found = judge_identical(scores.metrics(), frame)
    if as_json:
        print_json(found._asdict())
    else:
        _print(opened.suite.name, found)


def _print(suite: str, found: "Identical") -> None:
    from trimtab.cli.output import console

    console.print(
        f"{suite}: {found.splits:,} gates of a setup against itself, {found.repeats} repeats each\n"
        f"  blocked (fail)  {found.share('fail'):.1%}\n"
        f"  inconclusive    {found.share('inconclusive'):.1%}\n"
        f"  passed          {found.share('pass'):.1%}",
        markup=False,
    )
