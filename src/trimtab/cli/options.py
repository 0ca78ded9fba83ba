"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Json", "ProjectFolder", "Since"]

ProjectFolder = Annotated[
    Path,
    typer.Option(
        "--project",
        "-p",
        help="The folder with trimtab.toml, or one below it.",
        show_default="the current folder",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Since = Annotated[
    str, typer.Option("--since", help="How far back: a number and m, h, d or w, such as 24h or 7d.")
]
