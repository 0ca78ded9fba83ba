"""Changes of an environment: each is an edit of its file and a line in its log."""

import fcntl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from trimtab.errors import ConfigError, Finding, UsageError
from trimtab.prompts.library import Library
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.recording import record_version
from trimtab.prompts.versions import Record
from trimtab.releases.back import way_back
from trimtab.releases.evidence import find_evidence, wanted_of
from trimtab.releases.file import (
    Act,
    Canary,
    LogEntry,
    Release,
    Releases,
    load_releases,
    release_path,
    write_releases,
)

__all__ = [
    "Author",
    "Done",
    "Trying",
    "pause",
    "promote",
    "resume",
    "rollback",
    "try_out",
    "withdraw",
]


class Author(NamedTuple):
    """Who changes an environment, when, and why.

    Attributes:
        who: as they call themselves.
        at: UTC.
        reason: why; "" for none given.
    """

    who: str
    at: datetime
    reason: str = ""


class Done(NamedTuple):
    """What a change has done.

    Attributes:
        file: the file that was written.
        entry: the new line of its log.
        recorded: the record that was written for the version, if it was not on record.
    """

    file: Path
    entry: LogEntry
    recorded: Path | None = None


class Trying(NamedTuple):
    """How a version is tried.

    Attributes:
        share: of the users, or of the inferences for a shadow; above 0.
        shadow: its answers are shown to nobody.
        most_usd: what a shadow may cost.
    """

    share: float
    shadow: bool = False
    most_usd: float = 0.0


def promote(
    library: Library,
    environment: str,
    prompt: Prompt,
    *,
    model: str,
    author: Author,
    force: bool = False,
) -> Done:
    """Serve a version to everybody.

    Args:
        library: the prompts of the project.
        environment: where.
        prompt: the version.
        model: the pin, `provider:model`.
        author: who does it.
        force: without evidence; `author` says why.

    Raises:
        UsageError: there is no evidence, or nothing would change.
        ConfigError: a file is wrong or cannot be written.
    """
    project = library.folder.parent
    if force and not author.reason:
        raise UsageError("A release without evidence needs a reason: add --reason.")
    wanted = None if force else wanted_of(project, prompt, model)
    evidence = "" if wanted is None else _relative(project, find_evidence(project, wanted))
    with _editing(project, environment) as edit:
        before = edit.releases.prompts.get(prompt.id)
        if before is not None and (before.hash, before.model) == (prompt.version_hash, model):
            raise UsageError(f"{environment} serves {before.version} of {prompt.id!r} already.")
        recorded = record_version(library, prompt, today=author.at.date())
        record = recorded.record
        release = Release(
            version=record.name,
            hash=record.hash,
            model=model,
            evidence=evidence,
            forced=author.reason if force else "",
            since=_time(author),
            canary=_kept(before, record),
        )
        entry = _entry("promote", prompt.id, author, before=before, after=release)
        return edit.save(prompt.id, release, entry)._replace(
            recorded=recorded.file if recorded.new else None
        )


def try_out(
    library: Library,
    environment: str,
    prompt: Prompt,
    *,
    model: str,
    author: Author,
    trying: Trying,
) -> Done:
    """Serve a version to a share of the users, or in the shadow; or change the share.

    Raises:
        UsageError: nothing is released beside which it could be tried, or it is that version.
        ConfigError: a file is wrong or cannot be written.
    """
    with _editing(library.folder.parent, environment) as edit:
        released = edit.of(prompt.id)
        if (released.hash, released.model) == (prompt.version_hash, model):
            raise UsageError(f"{environment} serves this version of {prompt.id!r} to everybody.")
        recorded = record_version(library, prompt, today=author.at.date())
        record = recorded.record
        canary = Canary(
            version=record.name,
            hash=record.hash,
            model=model,
            share=trying.share,
            shadow=trying.shadow,
            most_usd=trying.most_usd,
            since=_time(author),
        )
        entry = _entry("shadow" if trying.shadow else "canary", prompt.id, author, before=released)
        entry = msgspec.structs.replace(entry, after=canary.version, model=model)
        changed = msgspec.structs.replace(released, canary=canary)
        return edit.save(prompt.id, changed, entry)._replace(
            recorded=recorded.file if recorded.new else None
        )


def pause(
    project: Path, environment: str, prompt_id: str, *, author: Author, only: str = ""
) -> Done:
    """Nobody gets the version that is tried any more, until somebody decides.

    Args:
        project: its folder.
        environment: where.
        prompt_id: of which prompt.
        author: who does it; without a reason the file says "paused".
        only: hash of the version that is meant; "" for any.

    Raises:
        UsageError: nothing is tried, or another version than is meant.
        ConfigError: a file is wrong or cannot be written.
    """

    def change(canary: Canary) -> Canary:
        if only not in {"", canary.hash}:
            raise UsageError(f"{environment} tries {canary.version} of {prompt_id!r} by now.")
        return msgspec.structs.replace(canary, paused=author.reason or "paused")

    return _change_canary(
        project, environment, prompt_id, author=author, act="pause", change=change
    )


def resume(project: Path, environment: str, prompt_id: str, *, author: Author) -> Done:
    """The version that is tried is served again to its share; its guards begin anew.

    Raises:
        UsageError: nothing is tried, it is not paused, or there is no reason.
    """
    if not author.reason:
        raise UsageError("To go on with a version that was paused needs a reason: add --reason.")

    def change(canary: Canary) -> Canary:
        if not canary.paused:
            raise UsageError(f"{canary.version} of prompt {prompt_id!r} is not paused.")
        return msgspec.structs.replace(canary, paused="")

    return _change_canary(
        project, environment, prompt_id, author=author, act="resume", change=change
    )


def withdraw(project: Path, environment: str, prompt_id: str, *, author: Author) -> Done:
    """The version that is tried is tried no more."""
    return _change_canary(
        project, environment, prompt_id, author=author, act="withdraw", change=lambda _canary: None
    )


def rollback(
    library: Library, environment: str, prompt_id: str, *, author: Author, to: str = ""
) -> Done:
    """Serve the version that was served before, or one that is named; and no other beside it.

    Raises:
        UsageError: there is nothing to go back to.
        ConfigError: a file is wrong or cannot be written.
    """
    with _editing(library.folder.parent, environment) as edit:
        now = edit.of(prompt_id)
        back = way_back(edit.releases, prompt_id, to=to)
        if back is None:
            raise UsageError(
                f"No version of {prompt_id!r} was served before {now.version}. Name one: --to v3."
            )
        record = _on_record(library, prompt_id, back.version)
        release = Release(
            version=record.name,
            hash=record.hash,
            model=back.model,
            evidence=back.evidence,
            forced="" if back.evidence else f"rollback: {author.reason or 'no reason given'}",
            since=_time(author),
        )
        entry = _entry("rollback", prompt_id, author, before=now, after=release)
        return edit.save(prompt_id, release, entry)


# ---------------------------------------------------------------- the file


class _Edit:
    def __init__(self, project: Path, environment: str, releases: Releases) -> None:
        self._project = project
        self._environment = environment
        self.releases = releases

    def of(self, prompt_id: str) -> Release:
        release = self.releases.prompts.get(prompt_id)
        if release is None:
            known = ", ".join(sorted(self.releases.prompts)) or "none"
            raise UsageError(
                f"{self._environment} serves no version of prompt {prompt_id[:80]!r}. "
                f"Released there: {known}."
            )
        return release

    def save(self, prompt_id: str, release: Release, entry: LogEntry) -> Done:
        releases = Releases(
            prompts={**self.releases.prompts, prompt_id: release},
            log=(*self.releases.log, entry),
        )
        return Done(write_releases(self._project, self._environment, releases), entry)


@contextmanager
def _editing(project: Path, environment: str) -> Generator[_Edit]:
    """One change at a time on this machine: the second one sees what the first one wrote."""
    folder = release_path(project, environment).parent
    try:
        folder.mkdir(exist_ok=True)
        with (folder / f".{environment}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield _Edit(project, environment, load_releases(project, environment))
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise ConfigError([Finding(str(folder), problem, "Check its permissions")]) from error


def _change_canary(
    project: Path,
    environment: str,
    prompt_id: str,
    *,
    author: Author,
    act: Act,
    change: Callable[[Canary], Canary | None],
) -> Done:
    with _editing(project, environment) as edit:
        release = edit.of(prompt_id)
        if release.canary is None:
            raise UsageError(f"{environment} tries no version of prompt {prompt_id!r}.")
        entry = _entry(act, prompt_id, author, before=release)
        entry = msgspec.structs.replace(entry, before=release.canary.version)
        changed = msgspec.structs.replace(release, canary=change(release.canary))
        return edit.save(prompt_id, changed, entry)


def _entry(
    act: Act,
    prompt_id: str,
    author: Author,
    *,
    before: Release | None,
    after: Release | None = None,
) -> LogEntry:
    return LogEntry(
        at=_time(author),
        who=author.who,
        act=act,
        prompt=prompt_id,
        before=before.version if before is not None else "",
        hash_before=before.hash if before is not None else "",
        model_before=before.model if before is not None else "",
        after=after.version if after is not None else "",
        model=after.model if after is not None else "",
        evidence=after.evidence if after is not None else "",
        reason=author.reason,
    )


def _kept(before: Release | None, record: Record) -> Canary | None:
    """The trial that goes on beside a new release; one of the same version is over."""
    if before is None or before.canary is None or before.canary.hash == record.hash:
        return None
    return before.canary


def _on_record(library: Library, prompt_id: str, version: str) -> Record:
    records = {record.name: record for record in library.records(prompt_id)}
    if version not in records:
        known = ", ".join(records) or "none"
        raise UsageError(f"{version} of {prompt_id!r} is not on record. On record: {known}.")
    return records[version]


def _time(author: Author) -> str:
    return author.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _relative(project: Path, file: Path) -> str:
    return file.relative_to(project).as_posix()
