"""`trimtab init`: a project folder to start from."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["init"]


def init(
    folder: Annotated[Path, typer.Argument(help="Where to make it.")] = Path(),
) -> None:
    """Make a project folder with a commented trimtab.toml."""
    from trimtab.config.template import GITIGNORE, render_starter
    from trimtab.errors import UsageError

    file = folder / "trimtab.toml"
    if file.exists():
        raise UsageError(f"{file} is there already. Choose another folder, or edit that file.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"Cannot make the folder {folder}: {error.strerror}. Choose another."
        ) from error
    file.write_text(render_starter(folder.resolve().name), encoding="utf-8")
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text(GITIGNORE, encoding="utf-8")
    there = "" if folder == Path() else f"cd {folder} && "
    typer.echo(f"Made {file}. Next:")
    typer.echo("  export OPENAI_API_KEY=sk-...")
    typer.echo(f"  {there}trimtab up")
    typer.echo("then point any OpenAI client's base_url at http://127.0.0.1:8080/v1")
