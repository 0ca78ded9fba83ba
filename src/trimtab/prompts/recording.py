"""Puts a version on record: a file that is written once, whole, and never over another."""

import contextlib
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from trimtab.errors import ConfigError, UsageError
from trimtab.prompts.library import Library
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.versions import FOLDER, Record, load_record, record_text

__all__ = ["Recorded", "record_version"]

_MOST_TRIES: Final = 20  # others who record the same prompt at the same time


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is on record.

    Attributes:
        record: what is on record.
        file: where.
        new: it was not before.
    """

    record: Record
    file: Path
    new: bool


def record_version(library: Library, prompt: Prompt, *, today: date) -> Recorded:
    """Put a prompt, as it is now, on record under the next number; nothing if it is there already.

    Raises:
        ConfigError: a record of the prompt is damaged.
        UsageError: its files were changed meanwhile, or the record cannot be written.
    """
    folder = library.folder / FOLDER / prompt.id
    if not folder.resolve().is_relative_to(library.folder.resolve()):
        raise UsageError(f"{folder} leads out of the project. Make it a folder, not a link.")
    for _ in range(_MOST_TRIES):
        records = library.records(prompt.id)
        for record in records:
            if record.hash == prompt.version_hash:
                return Recorded(record=record, file=folder / f"{record.name}.json", new=False)
        number = records[-1].number + 1 if records else 1
        text = record_text(prompt, library.read, number=number, today=today)
        record = msgspec.json.decode(text, type=Record)
        if not _is_whole(record):
            raise UsageError(f"The files of {prompt.id} were changed meanwhile. Run this again.")
        file = folder / f"{record.name}.json"
        if _write_new(file, text):
            return Recorded(record=record, file=file, new=True)
    raise UsageError(f"Others keep recording versions of {prompt.id}. Run this again.")


def _is_whole(record: Record) -> bool:
    """Whether its files are those of its hash."""
    try:
        load_record(record)
    except ConfigError:
        return False
    return True


def _write_new(file: Path, text: str) -> bool:
    """Write a file, whole or not at all; false if there is one of that name.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        made, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(made, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            Path(name).chmod(0o644)  # as any file of the repository
            file.hardlink_to(name)  # unlike a renaming, this fails where a file is
        finally:
            with contextlib.suppress(OSError):
                Path(name).unlink()
    except FileExistsError:
        if file.exists():
            return False
        raise UsageError(f"{file.parent} is not a folder. Move away what is there.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from None
    return True
