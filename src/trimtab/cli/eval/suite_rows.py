"""The list of suites, as rows and as a table."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.text import Text

from trimtab.archive import open_experiments
from trimtab.cli.eval.experiment_rows import ExperimentRow, experiment_row
from trimtab.cli.output import console, print_table, table
from trimtab.config.load import load_project
from trimtab.datasets.folder import EVALS, suite_names
from trimtab.datasets.load import load_suite
from trimtab.errors import ConfigError
from trimtab.looks.words import several

__all__ = ["SuiteRow", "print_suites", "suite_rows"]


class SuiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One suite. What cannot be told of files that are wrong is None.

    Attributes:
        name: of its folder.
        cases: how many.
        critical: of these, that must not get worse.
        prompt: that it is about; "" where cases bring messages.
        evaluators: as the file names them.
        errors: findings of its files.
        last: the newest experiment; None for none.
    """

    name: str
    cases: int | None = None
    critical: int | None = None
    prompt: str | None = None
    evaluators: list[str] | None = None
    errors: int = 0
    last: ExperimentRow | None = None


def suite_rows(project_file: Path) -> list[SuiteRow]:
    """A row for each suite of a project, in order of their names.

    Raises:
        ConfigError: the project is wrong.
    """
    folder = load_project(project_file).folder
    names = suite_names(folder)
    if not names:
        return []
    store = open_experiments(project_file)
    return [
        msgspec.structs.replace(
            _row(folder, name),
            last=next(map(experiment_row, store.experiments(1, suite=name)), None),
        )
        for name in names
    ]


def print_suites(rows: Sequence[SuiteRow]) -> None:
    """Print a line for each suite."""
    if not rows:
        console.print(
            f"The folder {EVALS} has no suite. Make one: trimtab eval init NAME --prompt PROMPT",
            markup=False,
        )
        return
    shown = table("Suites", "suite", "cases", "prompt", "evaluators", "last", "verdict", "files")
    for row in rows:
        last = row.last
        cells = (
            "?" if row.cases is None else str(row.cases),
            row.prompt or "-",
            ", ".join(row.evaluators or ()) or "-",
            "-" if last is None else f"{last.kind} {last.started_at[:16].replace('T', ' ')}",
            "-" if last is None else last.state,
            several(row.errors, "error") if row.errors else "-",
        )
        shown.add_row(Text(row.name), *map(Text, cells))
    print_table(shown)
    if any(row.errors for row in rows):
        console.print("\nWhat they are: trimtab eval check")


def _row(folder: Path, name: str) -> SuiteRow:
    try:
        suite = load_suite(folder, name)
    except ConfigError as error:
        return SuiteRow(name=name, errors=len(error.findings))
    return SuiteRow(
        name=name,
        cases=len(suite.cases),
        critical=sum(case.critical for case in suite.cases),
        prompt=suite.prompt,
        evaluators=[one.name for one in suite.evaluators],
    )
