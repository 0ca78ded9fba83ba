"""`trimtab spend reconcile`: the provider's own figures beside the ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.config.schema import Project

__all__ = ["reconcile"]

_DOMAINS = {"openai": ("openai.com",), "anthropic": ("anthropic.com",)}


def reconcile(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Exports of one provider: usage, costs or both; each page once.",
        ),
    ],
    provider: Annotated[
        list[str] | None,
        typer.Option(
            "--provider",
            help="A provider of the project that they are about; may be repeated.",
            show_default="all whose API is at OpenAI's or Anthropic's address",
        ),
    ] = None,
    threshold: Annotated[
        str, typer.Option("--threshold", help="How much may be off before it counts.")
    ] = "0.5%",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Compare a provider's export with the ledger, per day and model; exit 1 above the threshold.

    Reads OpenAI's usage and costs (JSON of the API, CSV of the dashboard) and Anthropic's usage
    report and cost report. docs/reconcile.md tells how to get them.
    """
    from trimtab.archive import open_reader
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file, load_project
    from trimtab.insights.exports.detect import parse_export
    from trimtab.insights.reconcile.compare import reconcile as compare
    from trimtab.insights.reconcile.report import reconcile_alert
    from trimtab.types.clock import SystemClock

    file = find_project_file(project)
    loaded = load_project(file)
    exports = [parse_export(str(path), _read(path)) for path in files]
    names = _providers(loaded, exports[0].vendor, provider or [])
    now_ns = SystemClock.wall_ns()
    report = compare(exports, open_reader(file), names, threshold=threshold, now_ns=now_ns)
    if as_json:
        print_json(report)
    else:
        from trimtab.cli.spend.reconcile_table import print_reconciliation

        print_reconciliation(report)
    alert = reconcile_alert(report, now_ns)
    if alert is not None:
        from trimtab.alerts.outbox import put_aside
        from trimtab.config.environment import data_folder

        # The gateway delivers it.
        put_aside(alert, data_folder(loaded), SystemClock(), settings=loaded.alerts)
        raise typer.Exit(1)


def _providers(project: "Project", vendor: str, named: list[str]) -> list[str]:
    """The providers that are named, or those at the vendor's address."""
    from trimtab.app import providers_at
    from trimtab.errors import UsageError

    unknown = [name for name in named if name not in project.providers]
    if unknown:
        known = ", ".join(project.providers)
        raise UsageError(f"The project has no provider {unknown[0]!r}. It has: {known}.")
    found = named or providers_at(project, _DOMAINS[vendor])
    if not found:
        raise UsageError(
            f"No provider of this project is at {_DOMAINS[vendor][0]}. "
            "Name those that the files are about with --provider."
        )
    return found


def _read(path: Path) -> bytes:
    from trimtab.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
