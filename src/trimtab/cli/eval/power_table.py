"""What a suite can tell, as a table."""

from collections.abc import Sequence

from rich.table import Table

from trimtab.cli.output import console, table
from trimtab.evals.outlook import GridCell

__all__ = ["print_power"]


def print_power(suite: str, grid: Sequence[GridCell]) -> None:
    """A table for each metric that decides."""
    metrics = list(dict.fromkeys(cell.metric for cell in grid))
    if not metrics:
        console.print(
            f"No metric of {suite} decides: declare gate.primary, or add an evaluator.",
            markup=False,
        )
    for metric in metrics:
        cells = [cell for cell in grid if cell.metric == metric]
        console.print(_table(suite, cells))
        source = "seen in earlier answers" if cells[0].known else "supposed: never run"
        margin = _change(cells[0], cells[0].margin)
        console.print(
            f"margin {margin}; the spread is {source}. passes: a candidate that is no worse; it "
            f"takes {cells[-1].needs:,} independent cases that anything can. finds: the smallest "
            "drop that fails in 8 of 10 gates.\n",
            markup=False,
        )


def _table(suite: str, cells: Sequence[GridCell]) -> Table:
    repeats = sorted({cell.repeats for cell in cells})
    headings = [heading for count in repeats for heading in (f"{count}x passes", f"{count}x finds")]
    made = table(f"{suite}: {cells[0].metric}", "cases", *headings)
    for cases in sorted({cell.cases for cell in cells}):
        row = [cell for cell in cells if cell.cases == cases]
        marked = f"{cases} (now)" if row[0].is_now else f"{cases}"
        figures = [
            text
            for cell in sorted(row, key=lambda one: one.repeats)
            for text in (f"{cell.passes:.0%}", _drop(cell))
        ]
        made.add_row(marked, *figures)
    return made


def _drop(cell: GridCell) -> str:
    return "-" if cell.detects is None else _change(cell, cell.detects)


def _change(cell: GridCell, value: float) -> str:
    return f"x{value:.2f}" if cell.kind == "amount" else f"{value * 100:.1f} pts"
