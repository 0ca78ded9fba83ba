"""`trimtab eval calibrate`: people say what a judge should have said."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.eval.options import SuiteName
from trimtab.cli.options import Json, ProjectFolder

if TYPE_CHECKING:
    from trimtab.cli.eval.opened import OpenedSuite
    from trimtab.evals.judged_rows import JudgedRows
    from trimtab.evals.judges.desk import Desk
    from trimtab.evals.registry import SuiteEvaluator

__all__ = ["calibrate"]


def calibrate(
    suite: SuiteName,
    evaluator: Annotated[str, typer.Argument(help="One that asks a model, by its name.")],
    labels: Annotated[
        Path | None,
        typer.Option(help="Take labels from lines of `key` and `label`, as --sheet writes them."),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Write the rows that come next to a .jsonl, to be labelled elsewhere."),
    ] = None,
    only_report: Annotated[
        bool, typer.Option("--report", help="Only say how good the judge is.")
    ] = False,
    wanted: Annotated[int, typer.Option(min=1, max=10_000, help="Labels in all.")] = 100,
    by: Annotated[str, typer.Option(help="Who labels.", show_default="as git knows you")] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Label answers that a judge has judged, without seeing its verdict; then say how good it is.

    Each label is on disk when you have said it. --json says the figures only.
    """
    from trimtab.cli.eval.judge_sheets import take_labels, write_sheet
    from trimtab.cli.eval.judge_text import judge_lines
    from trimtab.cli.eval.opened import open_suite
    from trimtab.cli.output import console, named, print_json
    from trimtab.evals.judges.report import report

    opened = open_suite(project, suite)
    judge = _judge(opened, evaluator)
    rows = _rows(opened, judge)
    desk = _desk(opened, rows, by=by, wanted=wanted)
    quiet = as_json or only_report
    if sheet is not None:
        count = write_sheet(desk, sheet, wanted)
        typer.echo(f"Wrote {count} rows to {sheet}. Fill in `label`, then: --labels {sheet}")
        return
    if labels is not None:
        typer.echo(f"{take_labels(desk, labels)} new labels.", err=as_json)
    elif not quiet:
        from trimtab.cli.eval.judge_session import label_rows

        label_rows(desk)
    calibration = desk.calibration()
    if calibration.labels and not quiet:
        file = desk.save()
        typer.echo(f"Calibration {file.relative_to(opened.project.folder)}; commit it.")
    models = [rows.judge.served_model] if rows.items else []
    found = report(calibration, judge.hash, models, mark_labels=rows.labels)
    if as_json:
        print_json(named(found))
        return
    for line in judge_lines(evaluator, found, rows.others):
        console.print(line, markup=False)


def _judge(opened: "OpenedSuite", name: str) -> "SuiteEvaluator":
    """The evaluator of that name.

    Raises:
        UsageError: there is none that asks a model.
    """
    from trimtab.errors import UsageError

    judges = {one.name: one for one in opened.evaluators.evaluators if one.asks}
    if name in judges:
        return judges[name]
    known = f"Those that do: {', '.join(judges)}." if judges else "None of this suite does."
    raise UsageError(f"No evaluator {name[:80]!r} of {opened.suite.name} asks a model. {known}")


def _rows(opened: "OpenedSuite", judge: "SuiteEvaluator") -> "JudgedRows":
    """What it has judged.

    Raises:
        UsageError: nothing yet.
    """
    from trimtab.archive import open_experiments
    from trimtab.errors import UsageError
    from trimtab.evals.asked import asked_text
    from trimtab.evals.judged_rows import judged_rows

    suite = opened.suite
    prompt = opened.library.prompt(suite.prompt) if suite.prompt else None
    asked = {case.id: asked_text(prompt, case) for case in suite.cases}
    found = judged_rows(open_experiments(opened.file), suite, judge, asked=asked)
    if not found.items:
        what = "gate" if judge.kind == "preference" else "run"
        raise UsageError(
            f"{judge.name!r} as it is now has judged no answer of {suite.name}. Run `trimtab eval "
            f"{what} {suite.name}`: answers that are there are only judged."
        )
    return found


def _desk(opened: "OpenedSuite", rows: "JudgedRows", *, by: str, wanted: int) -> "Desk":
    from trimtab.cli.who import who_am_i
    from trimtab.evals.judges.desk import Desk
    from trimtab.types.clock import SystemClock

    return Desk(
        opened.suite.folder,
        rows.judge,
        rows.items,
        clock=SystemClock(),
        by=by or who_am_i(),
        wanted=wanted,
    )
