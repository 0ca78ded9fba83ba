"""All prompts of a project, from its folder `prompts`."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from trimtab.errors import ConfigError, Finding, UnknownPrompt
from trimtab.prompts.parse import SUFFIX, FileReader, parse_prompt
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.versions import Record, load_record, read_records

__all__ = ["FOLDER", "Library", "load_library", "prompt_ids"]

FOLDER: Final = "prompts"

_MOST_BYTES: Final = 2_000_000  # of one file
_MAX_SHOWN: Final = 80
_DRAFT: Final = "draft"


class Library:
    """The prompts of a project as they are now, and their versions on record.

    Args:
        folder: `prompts` of the project; need not exist.
        prompts: by id, those whose files are right.
        findings: what is wrong with the others.
    """

    def __init__(
        self, folder: Path, prompts: Mapping[str, Prompt], findings: tuple[Finding, ...]
    ) -> None:
        self.folder = folder
        self.prompts = prompts
        self.findings = findings

    @property
    def read(self) -> FileReader:
        """Gives the files as they are now."""
        return _reader(self.folder)

    def prompt(self, prompt_id: str) -> Prompt:
        """A prompt as it is now.

        Raises:
            UnknownPrompt: there is none of that name, or its file is wrong.
        """
        found = self.prompts.get(prompt_id)
        if found is None:
            raise UnknownPrompt(self._unknown(prompt_id[:_MAX_SHOWN]), param="prompt.id")
        return found

    def records(self, prompt_id: str) -> list[Record]:
        """Its versions on record, oldest first.

        Raises:
            ConfigError: a record cannot be read.
        """
        return read_records(self.folder, prompt_id)

    def version(self, prompt_id: str, version: str) -> Prompt:
        """A version by its name: `v12`, `draft`, or the first digits of a hash, eight or more.

        Raises:
            UnknownPrompt: there is no such version.
            ConfigError: its record is damaged.
        """
        now = self.prompts.get(prompt_id)
        if now is not None and _means(version, _DRAFT, now.version_hash):
            return now
        records = self.records(prompt_id)
        if now is None and not records:
            return self.prompt(prompt_id)  # which says so
        for record in reversed(records):
            if _means(version, record.name, record.hash):
                return load_record(record)
        names = [record.name for record in reversed(records[-5:])]
        known = ", ".join(names if now is None else [_DRAFT, *names])
        raise UnknownPrompt(
            f"Prompt {prompt_id[:_MAX_SHOWN]!r} has no version {version[:_MAX_SHOWN]!r}. "
            f"It has {known}.",
            param="prompt.version",
        )

    def label(self, prompt: Prompt) -> str:
        """What people call a version: `v12`, or `v13-draft` for one that is not on record."""
        records = self.records(prompt.id)
        for record in reversed(records):
            if record.hash == prompt.version_hash:
                return record.name
        return f"v{(records[-1].number if records else 0) + 1}-{_DRAFT}"

    def _unknown(self, prompt_id: str) -> str:
        wrong = [f for f in self.findings if f.place.startswith(f"{FOLDER}/{prompt_id}{SUFFIX}")]
        if wrong:
            return (
                f"The file of prompt {prompt_id!r} is wrong. Run `trimtab prompts lint`; until it "
                "is right, the prompt cannot be used."
            )
        near = difflib.get_close_matches(prompt_id, self.prompts, n=3) or sorted(self.prompts)[:3]
        offer = f" Did you mean {' or '.join(near)}?" if near else ""
        return (
            f"The project has no prompt {prompt_id!r}.{offer} Write {FOLDER}/{prompt_id}{SUFFIX}."
        )


def load_library(project: Path) -> Library:
    """The prompts of the project in a folder. A file that is wrong does not keep the others out."""
    folder = project / FOLDER
    read = _reader(folder)
    prompts: dict[str, Prompt] = {}
    findings: list[Finding] = []
    for prompt_id in prompt_ids(folder):
        try:
            prompts[prompt_id] = parse_prompt(prompt_id, read)
        except ConfigError as error:
            findings += error.findings
    return Library(folder, prompts, tuple(findings))


def prompt_ids(folder: Path) -> Iterator[str]:
    """The names of all prompts below a folder, in order."""
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(("_", ".")))
        for name in sorted(files):
            if name.endswith(SUFFIX) and not name.startswith((".", "_")):
                yield (Path(path) / name).relative_to(folder).as_posix().removesuffix(SUFFIX)


def _reader(folder: Path) -> FileReader:
    root = folder.resolve()

    def read(name: str) -> str | None:
        try:
            path = (root / name).resolve()
        except (OSError, RuntimeError):  # links that lead to each other
            return None
        if not path.is_relative_to(root) or not path.is_file():  # also where a link leads out
            return None
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(
                [Finding(f"{FOLDER}/{name}", "larger than 2 MB", "Pass long texts as variables")]
            )
        try:
            return path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            raise ConfigError(
                [Finding(f"{FOLDER}/{name}", "cannot be read as UTF-8", "Save it as UTF-8")]
            ) from None

    return read


def _means(version: str, name: str, version_hash: str) -> bool:
    return version == name or (len(version) >= 8 and version_hash.startswith(version))
