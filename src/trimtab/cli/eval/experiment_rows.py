"""Experiments that were kept, as rows and as a table."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.looks.words import iso_time
from trimtab.types.experiments import Experiment, Setup
from trimtab.types.money import format_usd

__all__ = ["ExperimentRow", "experiment_row", "print_experiments"]


class ExperimentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One experiment.

    Attributes:
        id, suite, kind, repeats: of the experiment.
        state: its verdict; `measured` of a run of one setup, `not ended` of one that was killed or
            is under way.
        candidate, baseline: labels with pins; "" for none.
        started_at, ended_at: UTC; "" of one that did not end.
        spent_nanousd: of its own requests.
    """

    id: str
    suite: str
    kind: Literal["run", "gate", "aa"]
    repeats: int
    state: str
    candidate: str
    baseline: str
    started_at: str
    ended_at: str
    spent_nanousd: int


def experiment_row(one: Experiment) -> ExperimentRow:
    """The row of an experiment."""
    return ExperimentRow(
        id=one.id,
        suite=one.suite,
        kind=one.kind,
        repeats=one.repeats,
        state=(one.verdict or "measured") if one.ended_ns else "not ended",
        candidate=_setup(one.candidate),
        baseline="" if one.baseline is None else _setup(one.baseline),
        started_at=iso_time(one.started_ns),
        ended_at=iso_time(one.ended_ns) if one.ended_ns else "",
        spent_nanousd=one.spent_nanousd,
    )


def print_experiments(rows: Sequence[ExperimentRow]) -> None:
    """Print a line for each experiment."""
    if not rows:
        console.print("No experiment yet. Make one: trimtab eval run SUITE", markup=False)
        return
    shown = table(
        "Experiments", "experiment", "suite", "kind", "state", "candidate", "baseline", "repeats",
        "began (UTC)", "spent",
    )  # fmt: skip
    for row in rows:
        began = row.started_at[:16].replace("T", " ")
        spent = format_usd(row.spent_nanousd)
        cells = (row.id, row.suite, row.kind, row.state, row.candidate, row.baseline or "-")
        shown.add_row(*map(Text, (*cells, str(row.repeats), began, spent)))
    print_table(shown)


def _setup(setup: Setup) -> str:
    return f"{setup.label} at {setup.model}"
