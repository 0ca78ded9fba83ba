"""Versions on record: the files of each, as they were, in `prompts/_versions`.

A record is written once and never changed. It carries all that is needed to render the version, so
an old one can be served without git and without a network; and its hash, so that one that was
changed is found out.
"""

import errno
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.parse import FileReader, file_of, parse_prompt
from trimtab.prompts.prompt import Prompt

__all__ = ["FOLDER", "Record", "is_id", "load_record", "read_records", "record_text"]

FOLDER: Final = "_versions"

_ID: Final = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")
_NAME: Final = re.compile(r"v([1-9]\d{0,8})\.json")
_NO_FOLDER: Final = frozenset((errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR))


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One version on record.

    Attributes:
        prompt: its id.
        number: what people call it: 12 for v12.
        hash: of what changes behaviour; see `version.content_hash`.
        recorded: the day.
        files: texts by name below `prompts/`: the prompt, its partials and tools.
    """

    prompt: str
    number: int
    hash: str
    recorded: date
    files: Mapping[str, str]

    @property
    def name(self) -> str:
        """`v12`."""
        return f"v{self.number}"

    def reader(self) -> FileReader:
        """Gives the files as they were."""
        return self.files.get


def is_id(text: str) -> bool:
    """Whether a prompt can be called so: names with slashes between them, none of them hidden."""
    return _ID.fullmatch(text) is not None


def read_records(prompts: Path, prompt_id: str) -> list[Record]:
    """The versions of a prompt that are on record, oldest first.

    Raises:
        ConfigError: a record cannot be read; carries a finding for each.
    """
    if not is_id(prompt_id):
        return []
    folder = prompts / FOLDER / prompt_id
    findings: list[Finding] = []
    records: list[Record] = []
    for number in _numbers(folder):
        file = folder / f"v{number}.json"
        try:
            records.append(_read(file, prompt_id, number))
        except ConfigError as error:
            findings += error.findings
    if findings:
        raise ConfigError(findings)
    return records


def _numbers(folder: Path) -> list[int]:
    """The numbers of the records in a folder; none where none can be, as below a name too long."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        if error.errno in _NO_FOLDER:
            return []
        problem, remedy = f"cannot be read: {error.strerror}", "Check its permissions"
        raise ConfigError([Finding(str(folder), problem, remedy)]) from None
    return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))


def load_record(record: Record) -> Prompt:
    """The prompt as it was.

    Raises:
        ConfigError: its files cannot be parsed, or are not those that were recorded.
    """
    folder = f"prompts/{FOLDER}/{record.prompt}/{record.name}.json:"
    prompt = parse_prompt(record.prompt, record.reader(), folder=folder)
    if prompt.version_hash != record.hash:
        problem = "its files do not have the hash that was recorded: somebody changed them"
        remedy = "Take the record back from version control; a change is a new version"
        raise ConfigError([Finding(folder.removesuffix(":"), problem, remedy)])
    return prompt


def record_text(prompt: Prompt, read: FileReader, *, number: int, today: date) -> str:
    """The record of a prompt as it is now, as the text of its file."""
    behaviour = prompt.behaviour
    names = (
        file_of(prompt.id),
        *behaviour.partials,
        *(f"_tools/{tool}.json" for tool in behaviour.tools),
    )
    record = Record(
        prompt=prompt.id,
        number=number,
        hash=prompt.version_hash,
        recorded=today,
        files={name: read(name) or "" for name in names},
    )
    return msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n"


def _read(file: Path, prompt_id: str, number: int) -> Record:
    remedy = "Take it back from version control"
    try:
        record = msgspec.json.decode(file.read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError([Finding(str(file), f"cannot be read: {error}", remedy)]) from None
    if (record.prompt, record.number) != (prompt_id, number):
        problem = f"it says that it is {record.name} of {record.prompt[:80]!r}"
        raise ConfigError([Finding(str(file), problem, remedy)])
    return record
