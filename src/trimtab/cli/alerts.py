"""`trimtab alerts`: who was told of what, and whether webhooks work."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["alerts"]

alerts = typer.Typer(help="Who was told of what, and whether webhooks work.", no_args_is_help=True)


@alerts.command(name="test")
def send_test(
    name: Annotated[
        str | None, typer.Argument(help="A webhook of the project.", show_default="all of them")
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Send a test alert now, and tell what receivers answer; exit 1 if one does not take it."""
    from trimtab.alerts.trial import try_webhooks
    from trimtab.cli.output import console, print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.types.clock import SystemClock

    loaded = load_project(find_project_file(project))
    trials = try_webhooks(loaded.alerts, name, SystemClock())
    if as_json:
        print_json(trials)
    else:
        from rich.text import Text

        for trial in trials:
            words = "took it" if trial.ok else trial.problem
            said = f": {' '.join(trial.said.split())[:200]}" if trial.said.strip() else ""
            status = f" ({trial.status}{said})" if trial.status else ""
            console.print(Text(f"{trial.webhook}: {words}{status}"))  # receivers are outside
    if not all(trial.ok for trial in trials):
        raise typer.Exit(1)


@alerts.command(name="list")
def list_alerts(
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            min=0,
            help="Only so many, the newest; 0 for all.",
            show_default="20 in a table, all in JSON",
        ),
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """What was told, the newest first: delivered, waiting, given up. Kept for 90 days."""
    from trimtab.alerts.outbox_file import OutboxFile
    from trimtab.cli.options import top_of
    from trimtab.cli.output import print_json
    from trimtab.config.environment import data_folder
    from trimtab.config.load import find_project_file, load_project
    from trimtab.types.clock import SystemClock

    loaded = load_project(find_project_file(project))
    file = OutboxFile(data_folder(loaded), SystemClock())
    found = file.newest(top_of(top, as_json=as_json))
    file.close()
    if as_json:
        print_json(found)
    else:
        from trimtab.cli.alerts_table import print_alerts

        print_alerts(found)
