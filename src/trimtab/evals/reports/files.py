"""Reports as files, by the ending of their names."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from trimtab.errors import UsageError
from trimtab.evals.reports.html.file import write_html
from trimtab.evals.reports.json_report import write_json
from trimtab.evals.reports.junit import write_junit
from trimtab.evals.reports.markdown import as_markdown
from trimtab.evals.result import Result

__all__ = ["FORMATS", "write_report"]


def _write_markdown(result: Result, file: BinaryIO) -> None:
    file.write(as_markdown(result).encode())


FORMATS: Final[dict[str, Callable[[Result, BinaryIO], None]]] = {
    ".html": write_html,
    ".json": write_json,
    ".md": _write_markdown,
    ".xml": write_junit,
}
"""What writes a report with this ending: for browsers, programs, pull requests, CI (JUnit)."""


def write_report(result: Result, file: Path) -> None:
    """Write a report; one that was there is replaced.

    Raises:
        UsageError: its ending is none of `FORMATS`, or it cannot be written.
    """
    write = FORMATS.get(file.suffix)
    if write is None:
        raise UsageError(f"A report ends in {', '.join(FORMATS)}; {file.name[:80]!r} does not.")
    try:
        with file.open("wb") as opened:
            write(result, opened)
    except OSError as error:
        raise UsageError(
            f"The report {file} cannot be written: {error.strerror}. Name another place."
        ) from error
