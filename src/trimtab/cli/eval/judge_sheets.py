"""Rows to label as a file, and labels from one."""

from pathlib import Path
from typing import Final

import msgspec

from trimtab.errors import UsageError
from trimtab.evals.judges.desk import Desk

__all__ = ["take_labels", "write_sheet"]

_MOST_BYTES: Final = 50_000_000


class _Line(msgspec.Struct, frozen=True):
    """A line of a sheet; what else stands in it is for people."""

    key: str
    label: str = ""


def write_sheet(desk: Desk, file: Path, most: int) -> int:
    """Write the rows that come next, without the judge's verdicts.

    Returns:
        How many.

    Raises:
        UsageError: the file is there already, or cannot be written.
    """
    rows = desk.sheet(most)
    lines = [
        msgspec.json.encode(
            {
                "key": row.key,
                "label": "",
                "choices": row.choices,
                "case": row.case_id,
                "asked": row.asked,
                "sources": row.sources,
                "reference": row.reference,
                "answers": row.answers,
            }
        )
        for row in rows
    ]
    try:
        with file.open("xb") as out:
            out.writelines(line + b"\n" for line in lines)
    except FileExistsError:
        raise UsageError(f"{file} is there already. Name another file.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from error
    return len(rows)


def take_labels(desk: Desk, file: Path) -> int:
    """Take the labels of a sheet: all of them, or none where one is wrong.

    Lines without a label are passed over, and so are rows that have one already.

    Returns:
        How many were new.

    Raises:
        UsageError: the file cannot be read, or a line is wrong; names it.
        ConfigError: the file of labels is wrong or cannot be used.
    """
    told: dict[str, str] = {}
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        try:
            said = msgspec.json.decode(line, type=_Line)
            if said.label and desk.is_open(said.key, said.label):
                told[said.key] = said.label
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UsageError(f"{file}:{number} is no label: {error}. See --sheet.") from None
        except UsageError as error:
            raise UsageError(f"{file}:{number}: {error}") from None
    for key, word in told.items():
        desk.label(key, word)
    return len(told)


def _lines(file: Path) -> list[bytes]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{file} is larger than 50 MB. Split it.")
        return file.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
