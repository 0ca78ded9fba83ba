"""`trimtab prompts versions` and `drift`: what versions do, and whether they change."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder, Since

__all__ = ["drift", "versions"]

PromptName = Annotated[
    str | None,
    typer.Argument(
        metavar="PROMPT",
        help="Only this prompt, such as support/triage.",
        show_default="all",
    ),
]


def versions(
    prompt: PromptName = None,
    since: Since = "7d",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Errors, form, cost and latency of each version that was served, side by side."""
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.insights.prompt_versions import version_report
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    now_ns = SystemClock.wall_ns()
    since_ns = now_ns - parse_window_ns(since)
    reader = open_reader(find_project_file(project))
    found = version_report(reader, since_ns=since_ns, until_ns=now_ns, prompt=prompt)
    if as_json:
        print_json(found)
    else:
        from trimtab.cli.prompts.versions_table import print_versions

        print_versions(found, since=since, prompt=prompt)


def drift(
    prompt: PromptName = None, project: ProjectFolder = Path(), as_json: Json = False
) -> None:
    """Which served versions no longer behave as in their own first week."""
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.insights.prompt_drift import drift_report
    from trimtab.types.clock import SystemClock

    reader = open_reader(find_project_file(project))
    report = drift_report(reader, now_ns=SystemClock.wall_ns(), prompt=prompt)
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.prompts.versions_table import print_drift

        print_drift(report, prompt=prompt)
