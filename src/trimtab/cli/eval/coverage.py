"""`trimtab eval coverage`: which of what production sees does a suite try?"""

from pathlib import Path

from trimtab.cli.eval.options import SuiteName
from trimtab.cli.options import Json, ProjectFolder, Since

__all__ = ["coverage"]


def coverage(
    suite: SuiteName,
    since: Since = "7d",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Compare the tags of cases with those of production: callers tag by `metadata.tags`."""
    from trimtab.archive import open_reader
    from trimtab.cli.eval.coverage_table import coverage_of, print_coverage
    from trimtab.cli.output import named, print_json
    from trimtab.config.load import find_project_file
    from trimtab.datasets.load import load_suite
    from trimtab.datasets.traffic import read_traffic
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    file = find_project_file(project)
    loaded = load_suite(file.parent, suite)
    until_ns = SystemClock.wall_ns()
    since_ns = until_ns - parse_window_ns(since)
    traffic = read_traffic(open_reader(file), loaded, since_ns, until_ns=until_ns)
    found = coverage_of(loaded, traffic)
    if as_json:
        print_json(named(found))
    else:
        print_coverage(found, since=since)
