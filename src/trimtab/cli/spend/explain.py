"""`trimtab spend explain`: why the bill is not the estimate."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, Month, ProjectFolder, Since

__all__ = ["explain"]


def explain(
    since: Since = "30d",
    month: Month = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Compare with so long a time before, such as 30d, instead of the plan.",
            show_default="the plan, if there is one",
        ),
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Actual against planned, with the causes of the difference.

    The factors multiply to the ratio exactly, the amounts add up to the difference exactly.
    Without a plan it compares with the time before.
    """
    from trimtab.cli.output import print_json
    from trimtab.cli.spend.books import open_books
    from trimtab.cli.spend.choose_period import choose_period
    from trimtab.config.plan import load_plan
    from trimtab.insights.explain import explain_against, explain_plan
    from trimtab.insights.periods import before
    from trimtab.insights.window import parse_window_ns

    books = open_books(project)
    period = choose_period(books, since, month)
    plan = load_plan(books.project)
    if against is None and plan.estimates:
        report = explain_plan(books, plan, period)
    else:
        length_ns = period.until_ns - period.since_ns
        window_ns = length_ns if against is None else parse_window_ns(against)
        report = explain_against(books, period, before(period, window_ns, books.zone))
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.explain_table import print_explanation

        print_explanation(report)
