"""Writes suites: a new one as two new files, or one more line below the cases that are there."""

import contextlib
import fcntl
import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from trimtab.datasets.case import Case
from trimtab.datasets.cases_file import MOST_LINE_BYTES, problems_of_case, read_cases
from trimtab.datasets.findings import Findings
from trimtab.datasets.folder import CASES, EVALS, SUITE, check_name, suite_folder
from trimtab.errors import UsageError

__all__ = ["append_cases", "case_line", "write_new_suite"]

_MODE: Final = 0o644

_encode: Final = msgspec.json.Encoder().encode


def case_line(case: Case) -> bytes:
    """A case as a line of `cases.jsonl`, with its line end."""
    return _encode(case) + b"\n"


def write_new_suite(
    project: Path, name: str, *, suite_text: str, cases: Sequence[Case]
) -> tuple[Path, Path]:
    """Write `suite.toml` and `cases.jsonl` of a suite that is not there.

    Returns:
        Both files.

    Raises:
        UsageError: that is no name of a suite, one of the files is there, a case is wrong, or they
            cannot be written; then neither is left behind.
    """
    check_name(name)
    folder = project / EVALS / name
    if not folder.resolve().is_relative_to(project.resolve()):
        raise UsageError(f"{EVALS}/{name} leads out of the project. Make it a folder, not a link.")
    for file in (SUITE, CASES):
        if os.path.lexists(folder / file):
            raise UsageError(
                f"{EVALS}/{name}/{file} is there already. Choose another name, or edit that file."
            )
    lines = b"".join(_lines_of(cases))
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in ((CASES, lines), (SUITE, suite_text.encode())):
            _write_new(folder / file, content)
            written.append(folder / file)
    except OSError as error:
        for file in written:
            file.unlink(missing_ok=True)
        raise UsageError(
            f"{EVALS}/{name} cannot be written: {error.strerror}. Check permissions and room."
        ) from error
    return folder / SUITE, folder / CASES


def append_cases(project: Path, name: str, cases: Sequence[Case]) -> int:
    """Write cases below those that a suite has, all of them or none, and durable on return.

    Two who append at the same time wait for each other. A last line without an end gets one.

    Returns:
        The line of the first, from 1.

    Raises:
        UsageError: there is no such suite, a case is wrong, its id is taken, or the file cannot be
            written.
        ConfigError: what is in the file already is wrong, so that nobody can say which ids are
            taken.
    """
    folder = suite_folder(project, name)
    lines = _lines_of(cases)
    try:
        with _locked(folder / CASES) as handle:
            taken = _taken(folder)
            for case in cases:
                if case.id in taken:
                    raise UsageError(
                        f"{EVALS}/{name}/{CASES} has a case {case.id!r} on line {taken[case.id]}. "
                        "Choose another id."
                    )
            return _append(handle, lines)
    except OSError as error:
        raise UsageError(
            f"{EVALS}/{name}/{CASES} cannot be written: {error.strerror}. Check permissions and "
            "room."
        ) from error


def _lines_of(cases: Sequence[Case]) -> list[bytes]:
    """The lines of cases that may be written.

    Raises:
        UsageError: one may not.
    """
    lines: list[bytes] = []
    seen: set[str] = set()
    for case in cases:
        for problem, remedy in problems_of_case(case):
            raise UsageError(f"The case {case.id[:80]!r} is wrong: {problem}. {remedy}.")
        if case.id in seen:
            raise UsageError(f"Two cases have the id {case.id!r}. Give each one of its own.")
        seen.add(case.id)
        line = case_line(case)
        if len(line) > MOST_LINE_BYTES:
            raise UsageError(
                f"The case {case.id!r} is longer than {MOST_LINE_BYTES // 1_000_000} MB. Shorten "
                "its texts."
            )
        lines.append(line)
    return lines


def _write_new(file: Path, content: bytes) -> None:
    made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(made, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        file.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _locked(file: Path) -> Generator[BinaryIO]:
    """The file, which is made if need be, for nobody else until the end."""
    made = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)
    with os.fdopen(made, "r+b", buffering=0) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # given back with the file
        yield handle


def _taken(folder: Path) -> Mapping[str, int]:
    """The lines of the cases that are there, by id."""
    place = f"{EVALS}/{folder.name}"
    findings = Findings(place)
    lines = read_cases(folder / CASES, f"{place}/{CASES}", findings).lines
    findings.check()
    return lines


def _append(handle: BinaryIO, lines: Sequence[bytes]) -> int:
    """Write whole lines, or leave the file as it was.

    Returns:
        The line of the first, from 1.
    """
    size = handle.seek(0, os.SEEK_END)
    handle.seek(0)
    before = sum(part.count(b"\n") for part in iter(lambda: handle.read(1 << 16), b""))
    content = b"".join(lines)
    if size:
        handle.seek(size - 1)
        if handle.read(1) != b"\n":
            content = b"\n" + content
            before += 1
    try:
        left = memoryview(content)
        while left:
            left = left[handle.write(left) :]
        os.fsync(handle.fileno())
    except OSError:
        handle.truncate(size)
        raise
    return before + 1
