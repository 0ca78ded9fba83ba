"""`trimtab feedback`: what users say of each version."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder, Since

__all__ = ["feedback"]

feedback = typer.Typer(help="What users say of the answers, by version.", no_args_is_help=True)


@feedback.callback()
def _nouns() -> None:
    pass


@feedback.command(name="list")
def list_(
    prompt: Annotated[
        str | None,
        typer.Option(help="Only this prompt, such as support/triage.", show_default="all"),
    ] = None,
    since: Since = "7d",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Each version with how many said something, and the share of thumbs up or the mean."""
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.feedback.report import feedback_report
    from trimtab.insights.window import parse_window_ns
    from trimtab.types.clock import SystemClock

    until_ns = SystemClock.wall_ns() + 1
    since_ns = until_ns - parse_window_ns(since)
    reader = open_reader(find_project_file(project))
    found = feedback_report(reader, since_ns=since_ns, until_ns=until_ns, prompt=prompt)
    if as_json:
        print_json(found)
    else:
        from trimtab.cli.feedback_table import print_feedback

        print_feedback(found, since=since, prompt=prompt)
