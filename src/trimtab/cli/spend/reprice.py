"""`trimtab spend reprice`: history at the prices of today, beside what was charged."""

from pathlib import Path

from trimtab.cli.options import Json, ProjectFolder, Since

__all__ = ["reprice"]


def reprice(
    since: Since = "30d",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """What the calls of whole days would cost at the prices now declared; kept as a set beside.

    What was charged stays as it is. The same prices and calls make the same set.
    """
    from trimtab.app import reprice_history
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.insights.window import parse_window_ns
    from trimtab.spend.reprice import report_of

    repricing = reprice_history(find_project_file(project), parse_window_ns(since))
    report = report_of(repricing)
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.reprice_table import print_repricing

        print_repricing(report)
