"""`trimtab spend users`: cost per end user."""

from pathlib import Path

from trimtab.cli.options import Json, ProjectFolder, Since, Top, top_of

__all__ = ["users"]


def users(
    since: Since = "7d",
    top: Top = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Cost per end user: requests, tokens, share, median and P95 per request, outliers."""
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.insights.spending import spend_per_user
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    now_ns = SystemClock.wall_ns()
    since_ns = now_ns - parse_window_ns(since)
    file = find_project_file(project)
    report = spend_per_user(
        open_reader(file),
        since_ns,
        now_ns,
        top=top_of(top, as_json=as_json),
        classes=load_project(file).classes,
        with_past=True,
    )
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.users_table import print_spend

        print_spend(report)
