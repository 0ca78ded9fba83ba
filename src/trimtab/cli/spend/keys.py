"""`trimtab spend keys`: cost per key of an application."""

from pathlib import Path

from trimtab.cli.options import Json, ProjectFolder, Since

__all__ = ["keys"]


def keys(since: Since = "7d", project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """Cost per key: requests, tokens, share, median and P95 per request, outliers."""
    from trimtab.archive import open_keys, open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.insights.key_spending import spend_per_key
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    now_ns = SystemClock.wall_ns()
    since_ns = now_ns - parse_window_ns(since)
    file = find_project_file(project)
    report = spend_per_key(open_reader(file), since_ns, now_ns, known=open_keys(file).list())
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.keys_table import print_keys

        print_keys(report)
