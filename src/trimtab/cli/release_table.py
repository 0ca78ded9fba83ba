"""What `trimtab release` prints."""

from collections.abc import Iterator, Sequence
from typing import Any

import typer

from trimtab.cli.output import print_json, print_table, table
from trimtab.config.schema import Project
from trimtab.prompts.library import Library
from trimtab.releases.edit import Done
from trimtab.releases.file import LogEntry, Release, environments, load_releases

__all__ = ["print_done", "print_log", "print_status"]


def print_status(project: Project, library: Library, environment: str, *, as_json: bool) -> None:
    """What each environment, or one, serves."""
    names = [environment] if environment else environments(project.folder)
    rows = [row for name in names for row in _rows(project, library, name)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo("Nothing is released yet. Release a prompt with")
        typer.echo("  trimtab release promote PROMPT --env production")
        return
    shown = table("Releases", "prompt", "in", "serves", "at", "since (UTC)", "evidence", "tried")
    for row in rows:
        cells = (row["version"], row["model"], row["since"][:16].replace("T", " "))
        proof = row["evidence"] or f"none: {row['forced']}"
        shown.add_row(row["prompt"], row["environment"], *cells, proof, _tried(row))
    print_table(shown)
    for row in rows:
        if row["file"] != row["version"]:
            typer.echo(f"{row['prompt']}: the file is {row['file']}, {row['environment']} is not.")


def print_log(environment: str, entries: Sequence[LogEntry], *, as_json: bool) -> None:
    """Who did what."""
    if as_json:
        print_json(entries)
        return
    if not entries:
        typer.echo(f"Nothing was done in {environment} yet.")
    for entry in entries:
        typer.echo(f"{entry.at}  {entry.sentence}  {entry.who}")
        if entry.reason:
            typer.echo(f"    {entry.reason}")


def print_done(done: Done, *, as_json: bool) -> None:
    """What was changed, and what is left to do."""
    if as_json:
        recorded = str(done.recorded) if done.recorded is not None else None
        print_json({"file": str(done.file), "entry": done.entry, "recorded": recorded})
        return
    typer.echo(f"{done.entry.sentence}.")
    files = [str(path) for path in (done.file, done.recorded) if path is not None]
    typer.echo(f"Commit {' and '.join(files)}.")


def _rows(project: Project, library: Library, environment: str) -> Iterator[dict[str, Any]]:
    for name, release in sorted(load_releases(project.folder, environment).prompts.items()):
        yield {
            "prompt": name,
            "environment": environment,
            "version": release.version,
            "hash": release.hash,
            "model": release.model,
            "since": release.since,
            "evidence": release.evidence,
            "forced": release.forced,
            "canary": release.canary,
            "file": _label(library, name, release),
        }


def _label(library: Library, name: str, release: Release) -> str:
    now = library.prompts.get(name)
    if now is None:
        return "gone or wrong"
    return release.version if now.version_hash == release.hash else library.label(now)


def _tried(row: dict[str, Any]) -> str:
    canary = row["canary"]
    if canary is None:
        return "-"
    way = "shadow" if canary.shadow else "users"
    state = f"paused: {canary.paused}" if canary.paused else f"{canary.share:.0%} of {way}"
    return f"{canary.version}, {state}"
