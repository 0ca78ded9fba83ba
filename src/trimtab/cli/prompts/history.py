"""`trimtab prompts history` and `blame`: where a prompt comes from."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Json, ProjectFolder

__all__ = ["blame", "history"]

Name = Annotated[str, typer.Argument(metavar="ID", help="A prompt, such as support/triage.")]


def history(
    prompt: Name,
    most: Annotated[int, typer.Option("--most", min=1, help="So many commits.")] = 50,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Versions on record, and the commits that changed the prompt or what it includes."""
    from trimtab.cli.output import print_json, print_table, table
    from trimtab.cli.prompts.opened import open_prompts
    from trimtab.prompts.git import history as history_of

    library = open_prompts(project).library
    records = library.records(prompt)
    if not records:
        library.prompt(prompt)  # which says so if there is no such prompt
    found = history_of(library, prompt, most=most)
    if as_json:
        print_json({"records": [_record(one) for one in records], "git": found})
        return
    if records:
        shown = table("On record", "version", "hash", "recorded")
        for record in reversed(records):
            shown.add_row(record.name, record.hash[:8], record.recorded.isoformat())
        print_table(shown)
    if found.problem:
        typer.echo(found.problem)
        return
    shown = table("Commits", "commit", "date (UTC)", "version", "author", "subject")
    for revision in found.revisions:
        version = revision.version or revision.version_hash[:8] or "-"
        same = "" if revision.is_change or revision.problem else " (same)"
        when = revision.date.strftime("%Y-%m-%d %H:%M")
        shown.add_row(
            revision.commit[:10], when, version + same, revision.author, revision.subject[:60]
        )
    print_table(shown)
    if not found.is_complete:
        typer.echo("There are older ones: --most 500.")


def blame(prompt: Name, project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """Each line with the version, the commit and the author that it came in with."""
    from rich.text import Text

    from trimtab.cli.output import console, print_json
    from trimtab.cli.prompts.opened import open_prompts
    from trimtab.errors import UsageError
    from trimtab.prompts.git import blame as blame_of

    library = open_prompts(project).library
    library.prompt(prompt)
    found = blame_of(library, prompt)
    if as_json:
        print_json(found)
        return
    if found.problem:
        raise UsageError(found.problem)
    width = max((len(line.author) for line in found.lines), default=0)
    for line in found.lines:
        date = line.date.strftime("%Y-%m-%d") if line.date is not None else "not committed"
        head = f"{line.version or '-':9} {line.commit[:8]:8} {date:10} {line.author:{width}}"
        console.print(Text(f"{head}  {line.number:4}  {line.text}"), soft_wrap=True)


def _record(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in ("name", "hash", "recorded")}
