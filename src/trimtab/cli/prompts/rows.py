"""The rows of the list of prompts."""

from collections.abc import Sequence

import msgspec

from trimtab.errors import ConfigError
from trimtab.prompts.library import Library, prompt_ids
from trimtab.prompts.lint import Lint

__all__ = ["Row", "rows_of"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt. What cannot be told of a file that is wrong is None.

    Attributes:
        id: its name.
        version: `v12`, or `v13-draft` for one that is not on record.
        hash: of what changes behaviour.
        model: alias or route.
        suite: cases that say whether a version is good; "" for none.
        recorded: the latest version on record; None for none.
        changed: it is another than every version on record.
        errors, warnings: how many lint finds.
    """

    id: str
    version: str | None = None
    hash: str | None = None
    model: str | None = None
    suite: str | None = None
    recorded: str | None = None
    changed: bool | None = None
    errors: int
    warnings: int


def rows_of(library: Library, lints: Sequence[Lint]) -> list[Row]:
    """A row for each file of a prompt, in order of their names."""
    return [_row(library, prompt_id, lints) for prompt_id in prompt_ids(library.folder)]


def _row(library: Library, prompt_id: str, lints: Sequence[Lint]) -> Row:
    own = [one.severity for one in lints if one.prompt == prompt_id]
    prompt = library.prompts.get(prompt_id)
    # A partial that is wrong keeps its prompt out and has a place of its own.
    row = Row(
        id=prompt_id,
        errors=max(own.count("error"), int(prompt is None)),
        warnings=own.count("warning"),
    )
    try:
        records = library.records(prompt_id)
    except ConfigError as error:
        row = msgspec.structs.replace(row, errors=row.errors + len(error.findings))
        records = None
    if records:
        row = msgspec.structs.replace(row, recorded=records[-1].name)
    if prompt is None:
        return row
    row = msgspec.structs.replace(
        row, hash=prompt.version_hash, model=prompt.behaviour.model, suite=prompt.about.suite
    )
    if records is None:
        return row
    known = any(record.hash == prompt.version_hash for record in records)
    return msgspec.structs.replace(row, version=library.label(prompt), changed=not known)
