"""`trimtab spend budgets`: where each budget stands."""

from pathlib import Path

from trimtab.cli.options import Json, ProjectFolder, Top, top_of

__all__ = ["budgets"]


def budgets(top: Top = None, project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """Each budget: spent, left, how fast, and when nothing will be left of it."""
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.insights.budgets import budget_report
    from trimtab.types.clock import SystemClock

    file = find_project_file(project)
    loaded = load_project(file)
    states = budget_report(open_reader(file), loaded, SystemClock.wall_ns())
    if as_json:
        print_json(states)
    else:
        from trimtab.cli.spend.budgets_table import print_budgets

        print_budgets(states, loaded.spend.time_zone, top=top_of(top, as_json=False))
