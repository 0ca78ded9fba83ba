"""Putting a version on record: written once, whole, and never over another."""

import os
from datetime import date
from pathlib import Path

import msgspec

from trimtab.errors import ConfigError, Finding, UsageError
from trimtab.prompts.library import Library
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.versions import FOLDER, Record, record_text

__all__ = ["record_prompt"]


def record_prompt(library: Library, prompt: Prompt, *, today: date) -> tuple[Record, Path | None]:
    """The record of a version; made if there is none.

    Returns:
        The record, and its file if it was made just now.

    Raises:
        UsageError: it is not on record, and not what the files say now either.
        ConfigError: a record is damaged, or cannot be written.
    """
    records = library.records(prompt.id)
    for record in records:
        if record.hash == prompt.version_hash:
            return record, None
    now = library.prompts.get(prompt.id)
    if now is None or now.version_hash != prompt.version_hash:
        raise UsageError(
            f"Version {prompt.short} of {prompt.id!r} is not on record, and the files have changed "
            "since. Only what the files say now can be recorded."
        )
    number = records[-1].number + 1 if records else 1
    text = record_text(prompt, library.read, number=number, today=today)
    path = library.folder / FOLDER / prompt.id / f"v{number}.json"
    try:
        _write_new(path, text)
    except FileExistsError:  # somebody recorded a version just now
        return record_prompt(library, prompt, today=today)
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise ConfigError([Finding(str(path), problem, "Check permissions and room")]) from error
    return msgspec.json.decode(text, type=Record), path


def _write_new(path: Path, text: str) -> None:
    """Write a file whole, or raise FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    spare = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with spare.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        path.hardlink_to(spare)  # which fails where a file is already
    finally:
        spare.unlink(missing_ok=True)
