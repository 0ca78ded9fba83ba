"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Json", "Month", "ProjectFolder", "Since", "Top", "top_of"]

_SHOWN = 20  # rows of a table; more is a file, not a page

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
Month = Annotated[
    str | None,
    typer.Option(
        help="A month or quarter, as in 2026-10 or 2026-Q4, instead of --since.",
        show_default=False,
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        min=0,
        help="Only so many users, the costliest; 0 for all.",
        show_default="20 in a table, all in JSON",
    ),
]


def top_of(top: int | None, *, as_json: bool) -> int | None:
    """How many users an answer is about; None for all."""
    if top is None:
        return None if as_json else _SHOWN
    return top or None
