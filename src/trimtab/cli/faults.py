"""`trimtab faults`: run the fault table and print the scorecard."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trimtab.testing.scorecard import Elsewhere, Row, RowResult

__all__ = ["faults"]

_VERDICT_STYLES = {"pass": "green", "FAIL": "bold red", "skipped": "yellow"}


_Rows = Annotated[
    list[str] | None, typer.Option("--row", help="Only this row, such as S06. May be repeated.")
]
_Scale = Annotated[
    float,
    typer.Option(
        min=0.02, max=10, help="Multiplies all times: 0.1 shows in seconds what takes a minute."
    ),
]
_ListRows = Annotated[bool, typer.Option("--list", help="Show the rows and run nothing.")]
_WriteProject = Annotated[
    Path | None,
    typer.Option(help="Write a project for --against to this folder and run nothing."),
]
_Against = Annotated[
    str | None, typer.Option(help="Base URL of a running gateway that serves a project so written.")
]
_Project = Annotated[Path | None, typer.Option("--project", "-p", help="The project of --against.")]
_Markdown = Annotated[bool, typer.Option("--markdown", help="Print the table of docs/faults.md.")]


def faults(
    row: _Rows = None,
    scale: _Scale = 1.0,
    list_rows: _ListRows = False,
    write_project: _WriteProject = None,
    against: _Against = None,
    project: _Project = None,
    markdown: _Markdown = False,
    as_json: Json = False,
) -> None:
    """Run faults of providers, callers and this machine against a gateway; print a scorecard."""
    from trimtab.errors import UsageError
    from trimtab.testing.scorecard import rows_named

    if as_json and markdown:
        raise UsageError("The scorecard comes in one form: give one of --json and --markdown.")
    rows = rows_named(row or [])
    if list_rows:
        _print_list(rows, as_json=as_json)
    elif write_project is not None:
        _write_project(write_project, scale)
    else:
        elsewhere = _elsewhere(against, project, scale)
        results = _run(rows, scale, elsewhere, quiet=as_json or markdown)
        _print_results(results, scale, as_json=as_json, markdown=markdown)
        if any(result.verdict == "FAIL" for result in results):
            raise typer.Exit(1)


def _run(
    rows: "Sequence[Row]", scale: float, elsewhere: "Elsewhere | None", *, quiet: bool
) -> "list[RowResult]":
    import uvloop

    from trimtab.testing.scorecard import run_rows

    if quiet:
        return uvloop.run(run_rows(rows, scale=scale, elsewhere=elsewhere))
    return uvloop.run(run_rows(rows, scale=scale, report=_print_result, elsewhere=elsewhere))


def _print_results(
    results: "Sequence[RowResult]", scale: float, *, as_json: bool, markdown: bool
) -> None:
    from trimtab.cli.output import print_json
    from trimtab.testing.scorecard import page_table

    if as_json:
        print_json({"scale": scale, "rows": results})
    elif markdown:
        typer.echo(page_table(results), nl=False)
    else:
        _print_end(results)


def _print_list(rows: "Sequence[Row]", *, as_json: bool) -> None:
    from trimtab.cli.output import print_json

    if as_json:
        print_json([{"row_id": row.row_id, "fault": row.fault, "does": row.does} for row in rows])
        return
    for row in rows:
        typer.echo(f"{row.row_id}  {row.fault}\n     -> {row.does}")


def _write_project(folder: Path, scale: float) -> None:
    """A project on ports that are free at this moment."""
    from trimtab.config.schema import FILE_NAME
    from trimtab.errors import UsageError
    from trimtab.testing.scorecard import ROWS, Ports, new_project_text

    file = folder / FILE_NAME
    if file.exists():
        raise UsageError(f"{file} is there already. Choose another folder.")
    primary, spare, untrusted, port = _free_ports(4)
    folder.mkdir(parents=True, exist_ok=True)
    text = new_project_text(ROWS, Ports(primary, spare, untrusted), scale=scale, port=port)
    file.write_text(text, encoding="utf-8")
    scaled = "" if scale == 1 else f" --scale {scale:g}"
    typer.echo(
        f"{file} expects fault providers on ports {primary}, {spare} and {untrusted}.\n"
        f"Start:   trimtab up -p {folder}\n"
        f"Then:    trimtab faults --against http://127.0.0.1:{port}/v1 -p {folder}{scaled}"
    )


def _free_ports(count: int) -> list[int]:
    import socket
    from contextlib import ExitStack

    with ExitStack() as stack:  # all at once, so that each is another
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _elsewhere(against: str | None, project: Path | None, scale: float) -> "Elsewhere | None":
    from trimtab.errors import UsageError
    from trimtab.testing.scorecard import ROWS, find_elsewhere

    if against is None:
        if project is not None:
            raise UsageError(
                "--project goes with --against URL: without it, trimtab faults starts a gateway "
                "on a project of its own."
            )
        return None
    if project is None:
        raise UsageError(
            "--against needs --project FOLDER, to read the record. Make the folder with "
            "`trimtab faults --write-project FOLDER`."
        )
    return find_elsewhere(against, project, ROWS, scale=scale)


def _print_result(result: "RowResult") -> None:
    from rich.markup import escape

    from trimtab.cli.output import console

    style = _VERDICT_STYLES[result.verdict]
    attempts = f"{result.attempts} attempt" + ("" if result.attempts == 1 else "s")
    console.print(
        f"{result.row_id}  [{style}]{result.verdict:7}[/{style}] {result.longest_s:6.1f} s  "
        f"{attempts:>12}  {escape(result.happened)}",
        soft_wrap=True,
    )
    for finding in result.findings:
        console.print(f"     {escape(finding)}", style="red", soft_wrap=True)


def _print_end(results: "Sequence[RowResult]") -> None:
    passed = sum(result.verdict == "pass" for result in results)
    skipped = sum(result.verdict == "skipped" for result in results)
    slowest = max(results, key=lambda result: result.longest_s)
    typer.echo(
        f"{passed} of {len(results)} rows pass"
        + (f", {skipped} skipped" if skipped else "")
        + f"; the longest wait was {slowest.longest_s:.1f} s, in {slowest.row_id}"
    )
