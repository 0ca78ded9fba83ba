"""`trimtab eval cases`: which cases tell something, and which do not."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.eval.options import SuiteName
from trimtab.cli.options import Json, ProjectFolder

__all__ = ["cases"]


def cases(
    suite: SuiteName,
    top: Annotated[
        int, typer.Option("--top", min=1, help="So many of the cases that flip most.")
    ] = 20,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show how steady the answers to each case are, and which cases never tell setups apart.

    From answers that are kept, by the evaluators as they are now. Asks nothing.
    """
    from trimtab.archive import open_experiments
    from trimtab.cli.eval.case_table import print_cases
    from trimtab.cli.eval.opened import open_suite
    from trimtab.cli.output import named, print_json
    from trimtab.datasets.near import find_near
    from trimtab.evals.case_facts import facts_of_cases
    from trimtab.evals.tried import scores_of_setups

    opened = open_suite(project, suite)
    store = open_experiments(opened.file)
    tried = list(scores_of_setups(store, opened.suite, opened.evaluators.evaluators))
    facts = facts_of_cases(opened.suite.cases, [scores.metrics() for _, scores in tried])
    near = find_near(opened.suite.cases)
    if as_json:
        setups = [
            {"label": setup.label, "model": setup.model, "hash": setup.hash} for setup, _ in tried
        ]
        print_json({"suite": suite, **named(facts), "setups": setups, "near": named(near)})
    else:
        print_cases(suite, facts, near, top=top)
