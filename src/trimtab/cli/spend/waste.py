"""`trimtab spend waste`: money that bought nothing."""

from pathlib import Path

from trimtab.cli.options import Json, Month, ProjectFolder, Since

__all__ = ["waste"]


def waste(
    since: Since = "30d",
    month: Month = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """What retries, hedges, failovers, cancelled and truncated answers cost, line by line."""
    from trimtab.cli.output import print_json
    from trimtab.cli.spend.books import open_books
    from trimtab.cli.spend.choose_period import choose_period
    from trimtab.insights.waste import waste_of

    books = open_books(project)
    report = waste_of(books, choose_period(books, since, month))
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.waste_table import print_waste

        print_waste(report)
