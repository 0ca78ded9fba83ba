"""The list of prompts as a table."""

from collections.abc import Sequence

from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.cli.prompts.rows import Row
from trimtab.prompts.version import short_hash

__all__ = ["print_prompts"]


def print_prompts(rows: Sequence[Row]) -> None:
    """Print a line for each prompt."""
    if not rows:
        console.print(
            "The folder prompts is empty. Write the first one as prompts/NAME.prompt.md.",
            markup=False,
        )
        return
    shown = table(
        "Prompts", "prompt", "version", "hash", "model", "suite", "changed since", "findings"
    )
    for row in rows:
        cells = (row.version, row.hash and short_hash(row.hash), row.model, row.suite)
        shown.add_row(
            Text(row.id), *(Text(cell or "-") for cell in cells), _changed(row), _findings(row)
        )
    print_table(shown)
    if any(row.errors or row.warnings for row in rows):
        console.print("\nWhat they are: trimtab prompts lint")


def _changed(row: Row) -> str:
    if row.changed is None:
        return "?"
    if not row.changed:
        return "-"
    return row.recorded or "never recorded"


def _findings(row: Row) -> str:
    counts = ((row.errors, "error"), (row.warnings, "warning"))
    return ", ".join(f"{n} {word}{'s' * (n > 1)}" for n, word in counts if n) or "-"
