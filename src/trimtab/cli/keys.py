"""`trimtab keys`: credentials of applications, and of people for the console."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["keys"]

keys = typer.Typer(
    help="Keys of the applications that call the gateway, and for the console.",
    no_args_is_help=True,
)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What people will call it, such as web-production.")],
    team: Annotated[str, typer.Option(help="The team that it belongs to.")] = "",
    console: Annotated[
        bool, typer.Option("--console", help="For people: opens the console, and only that.")
    ] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once and stored only as a hash."""
    from trimtab.archive import open_keys
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file

    key, secret = open_keys(find_project_file(project)).create(name, team, console=console)
    if as_json:
        print_json({"key": key, "secret": secret})
        return
    typer.echo(f"Key {key.name} ({key.key_id}):\n\n  {secret}\n\nIt is not shown again.")
    if console:
        typer.echo(
            "Log in with it at /console. It does not open inferences: from now on the gateway"
        )
        typer.echo("asks applications for a key of their own (`trimtab keys create NAME`).")
    else:
        typer.echo("From now on the gateway asks for a key: use it as the client's api_key.")


@keys.command(name="list")
def list_keys(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """List all keys, revoked ones included."""
    from trimtab.archive import open_keys
    from trimtab.cli.output import format_time, print_json, print_table, table
    from trimtab.config.load import find_project_file

    found = open_keys(find_project_file(project)).list()
    if as_json:
        print_json(found)
        return
    if not found:
        typer.echo("No keys yet: the gateway serves this machine only. Make one with")
        typer.echo("  trimtab keys create NAME")
        return
    shown = table(
        "Keys", "name", "for", "id", "begins with", "team", "created (UTC)", "revoked (UTC)"
    )
    for key in found:
        revoked = format_time(key.revoked_ns) if key.revoked_ns is not None else "-"
        opens = "console" if key.console else "gateway"
        created = format_time(key.created_ns)
        shown.add_row(key.name, opens, key.key_id, key.prefix, key.team or "-", created, revoked)
    print_table(shown)


@keys.command()
def revoke(
    reference: Annotated[str, typer.Argument(help="Name, id, or first characters of the key.")],
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Make a key invalid, at once, in every running gateway of this project."""
    from trimtab.archive import open_keys
    from trimtab.cli.output import print_json
    from trimtab.config.load import find_project_file

    key = open_keys(find_project_file(project)).revoke(reference)
    if as_json:
        print_json(key)
    else:
        typer.echo(f"Revoked {key.name} ({key.prefix}...).")
