"""Quotes and results, printed and written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from trimtab.cli.eval.opened import OpenedSuite
from trimtab.cli.eval.quote_text import quote_lines
from trimtab.cli.eval.session import conduct, exit_code, quote
from trimtab.cli.output import console, named, print_json
from trimtab.errors import UsageError
from trimtab.evals.evidence import write_evidence
from trimtab.evals.order import Order
from trimtab.evals.reports.files import FORMATS, write_report
from trimtab.evals.reports.json_report import report_of
from trimtab.evals.reports.terminal import TerminalReport
from trimtab.evals.result import Result

__all__ = ["report_files", "show_quote", "show_result", "write_reports"]


def show_quote(opened: OpenedSuite, order: Order, *, as_json: bool) -> None:
    """What it would take and could tell."""
    quoted = quote(opened, order)
    if as_json:
        print_json(named(quoted))
        return
    for line in quote_lines(order, quoted):
        console.print(line, markup=False)


def show_result(
    opened: OpenedSuite, order: Order, *, reports: Sequence[str], as_json: bool
) -> None:
    """Carry it out, print it, write its reports and its evidence, and exit as it says.

    Raises:
        UsageError: a report has an ending that is not known; nothing was asked then.
    """
    files = report_files(reports)
    result = conduct(opened, order, quiet=as_json)
    evidence = write_evidence(opened.suite.folder, result) if order.kind == "gate" else None
    if as_json:
        print_json(_as_json(result, evidence, opened.project.folder))
    else:
        console.print(TerminalReport(result))
    write_reports(result, files, as_json=as_json)
    if evidence is not None and not as_json:
        typer.echo(f"evidence {evidence.relative_to(opened.project.folder)}; commit it")
    code = exit_code(result, warns=opened.suite.gate.inconclusive == "warn")
    if code:
        raise typer.Exit(code)


def report_files(names: Sequence[str]) -> list[Path]:
    """The files of `--report`.

    Raises:
        UsageError: an ending is not known, or there is no such folder.
    """
    return [_report_file(name) for name in names]


def write_reports(result: Result, files: Sequence[Path], *, as_json: bool) -> None:
    """Write each, and say so; not on standard output where that is a document.

    Raises:
        UsageError: one cannot be written.
    """
    for file in files:
        write_report(result, file)
        typer.echo(f"report   {file}", err=as_json)


def _as_json(result: Result, evidence: Path | None, folder: Path) -> dict[str, Any]:
    import msgspec

    told = msgspec.to_builtins(report_of(result))
    told["evidence"] = None if evidence is None else evidence.relative_to(folder).as_posix()
    return told


def _report_file(name: str) -> Path:
    file = Path(name)
    if file.suffix not in FORMATS:
        raise UsageError(f"A report ends in {', '.join(FORMATS)}; {name[:80]!r} does not.")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {file.absolute().parent}. Make it first.")
    return file
