"""The argument that names a version of a prompt. Loads nothing: `--help` needs it."""

from typing import Annotated

import typer

__all__ = ["PromptVersion"]

PromptVersion = Annotated[
    str,
    typer.Argument(
        metavar="ID[@VERSION]",
        help="A prompt, such as support/triage or support/triage@v12; else as it is now.",
    ),
]
