"""`trimtab spend forecast`: what the current month will have cost."""

from pathlib import Path

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["forecast"]


def forecast(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """What this month will have cost at its end, with an interval, by class of users."""
    from trimtab.cli.output import print_json
    from trimtab.cli.spend.books import open_books
    from trimtab.config.plan import load_plan
    from trimtab.insights.forecast import forecast_month
    from trimtab.types.clock import SystemClock

    books = open_books(project)
    report = forecast_month(books, load_plan(books.project), now_ns=SystemClock.wall_ns())
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.forecast_table import print_forecast

        print_forecast(report)
