"""`trimtab ledger`: proof that nothing is missing."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["ledger"]

ledger = typer.Typer(
    help="The record of every call: prove it, rebuild what hangs on it.", no_args_is_help=True
)


@ledger.command()
def verify(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """Recompute every link of the chain; exit 1 if anything is missing, doubled or changed."""
    import msgspec

    from trimtab.archive import verify_store
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file
    from trimtab.types.money import format_usd

    report = verify_store(find_project_file(project))
    if as_json:
        print_json({"ok": report.ok} | msgspec.structs.asdict(report))
    else:
        typer.echo(
            f"entries      {report.entries:,} ({report.intents:,} intents, "
            f"{report.settles:,} settles, {report.feedback:,} of feedback)"
        )
        typer.echo(f"chains       {report.writers:,} writers, {report.broken_links:,} broken links")
        typer.echo(f"gaps         {report.gaps:,}")
        typer.echo(f"doubles      {report.doubles:,}")
        typer.echo(f"lost tails   {report.beyond_head:,}")
        typer.echo(
            f"unsettled    {report.unsettled:,}, held at {format_usd(report.unsettled_nanousd)}"
        )
        typer.echo(f"in flight    {report.in_flight:,}")
        for finding in report.findings:
            typer.echo(f"  {finding}")
        typer.echo("The ledger is whole." if report.ok else "The ledger is DAMAGED.")
    if not report.ok:
        raise typer.Exit(1)


@ledger.command()
def rebuild(
    project: ProjectFolder = Path(),
    as_json: Json = False,
    force: Annotated[
        bool, typer.Option("--force", help="Even where the ledger lacks entries that were seen.")
    ] = False,
) -> None:
    """Make events and rollups anew from the ledger."""
    from trimtab.archive import rebuild_store
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file

    report = rebuild_store(find_project_file(project), force=force)
    if as_json:
        print_json(report)
    else:
        typer.echo(
            f"Rebuilt {report.events:,} events of {report.days} days "
            f"from {report.entries:,} ledger entries."
        )
