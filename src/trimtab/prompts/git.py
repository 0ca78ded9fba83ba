"""The history of a prompt from git: its commits, who wrote which line, and any revision of it.

What a commit means for a prompt is found by reading all of its files as they were, so a commit that
changed nothing but a partial or a tool is in the history of every prompt that reaches it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from trimtab.errors import ConfigError, UsageError
from trimtab.prompts.git_program import Answer, Blobs, GitProblem, Repository
from trimtab.prompts.git_states import States
from trimtab.prompts.library import FOLDER, Library
from trimtab.prompts.parse import SUFFIX, file_of
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.version import short_hash

__all__ = ["Blame", "BlameLine", "History", "Revision", "at_revision", "blame", "history"]

_MOST_COMMITS: Final = 2_000  # that are looked at
_MOST_SHOWN: Final = 80
_FORMAT: Final = "--format=tformat:%H%x00%P%x00%at%x00%aN%x00%s%x00"
_FIELDS: Final = 5


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that changed a file of a prompt.

    Attributes:
        commit: 40 hex digits, or 64.
        author: a name.
        date: when it was written, in UTC.
        subject: the first line of its message.
        version_hash: of the prompt in it; "" where the file is not there or is wrong.
        version: its number on record, such as `v12`; "" for one that is not on record.
        is_change: the behaviour is another one than before.
        problem: why there is no hash; "" if there is one.
    """

    commit: str
    author: str
    date: datetime
    subject: str
    version_hash: str
    version: str
    is_change: bool
    problem: str = ""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The commits of a prompt, newest first.

    Attributes:
        prompt: its id.
        revisions: the commits.
        is_complete: there are no older ones that are not shown.
        problem: why there are none, and what to do; "" if there are.
    """

    prompt: str
    revisions: tuple[Revision, ...] = ()
    is_complete: bool = True
    problem: str = ""


class BlameLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a file as it is now.

    Attributes:
        number: from 1.
        text: without its end.
        commit: that it came in with; "" if it is not committed, and then nothing else is known.
        author, date: of the commit.
        version: in which it came in: `v12`, or the first digits of a hash; "" if not known.
    """

    number: int
    text: str
    commit: str = ""
    author: str = ""
    date: datetime | None = None
    version: str = ""


class Blame(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of the file of a prompt.

    Attributes:
        prompt: its id.
        lines: in order.
        problem: why there are none, and what to do; "" if there are.
    """

    prompt: str
    lines: tuple[BlameLine, ...] = ()
    problem: str = ""


def history(library: Library, prompt_id: str, *, most: int = 200) -> History:
    """The commits that changed a prompt or what it reaches, at most so many.

    Without git or without a repository the result has a `problem` instead of commits. A prompt that
    was renamed begins with its new name.

    Raises:
        UsageError: this can be no name of a prompt.
        ConfigError: a version on record cannot be read.
    """
    own = _file(prompt_id)
    names = _names(library, prompt_id)
    try:
        repository = Repository(library.folder)
        commits = _commits(repository, own)
        with repository.blobs() as blobs:
            found = _revisions(States(blobs, prompt_id), commits, names=names)
            revisions = [revision for _, revision in zip(range(most + 1), found, strict=False)]
        is_shallow = repository.ask("rev-parse", "--is-shallow-repository").output == b"true\n"
    except GitProblem as error:
        return History(prompt=prompt_id, problem=str(error))
    if not revisions:
        return History(prompt=prompt_id, problem=_never_committed(own))
    return History(
        prompt=prompt_id,
        revisions=tuple(_told_again(revisions))[:most],
        is_complete=len(revisions) <= most and len(commits) < _MOST_COMMITS and not is_shallow,
    )


def blame(library: Library, prompt_id: str) -> Blame:
    """Each line of a prompt's file as it is now, with the commit and the version it came in with.

    Raises:
        UsageError: this can be no name of a prompt.
        ConfigError: a version on record cannot be read.
    """
    own = _file(prompt_id)
    names = _names(library, prompt_id)
    try:
        repository = Repository(library.folder)
        answer = repository.ask(
            *("blame", "--porcelain", "--no-textconv", "--ignore-revs-file=", "--", own)
        )
        if not answer.is_right:
            return Blame(prompt=prompt_id, problem=_not_blamed(answer, own))
        origins = list(_origins(answer.output))
        versions: dict[tuple[str, str], str] = {}
        with repository.blobs() as blobs:
            for origin in origins:
                if origin.key not in versions:
                    version = _version_then(blobs, origin, repository.prefix)
                    versions[origin.key] = names.get(version, short_hash(version))
    except GitProblem as error:
        return Blame(prompt=prompt_id, problem=str(error))
    lines = (_line(number, origin, versions) for number, origin in enumerate(origins, 1))
    return Blame(prompt=prompt_id, lines=tuple(lines))


def at_revision(library: Library, prompt_id: str, revision: str) -> Prompt:
    """A prompt as it was in a commit, a branch or a tag.

    Raises:
        UsageError: there is no git, no repository, no such revision, or not this prompt in it.
        ConfigError: its files were wrong then.
    """
    own = _file(prompt_id)
    shown = revision[:_MOST_SHOWN]
    try:
        repository = Repository(library.folder)
        commit = repository.commit(revision)
        if not commit:
            raise UsageError(
                f"Git knows no revision {shown!r} here. Give a commit, a branch or a tag, such as "
                "HEAD~1 or main."
            )
        with repository.blobs() as blobs:
            state = States(blobs, prompt_id).at(commit)
    except GitProblem as error:
        raise UsageError(str(error)) from None
    if state.prompt is not None:
        return state.prompt
    if state.files.get(own) is None:
        raise UsageError(
            f"Revision {shown!r} has no prompt {prompt_id!r}. Look for one that has it: "
            f"git log --oneline -- {FOLDER}/{own}"
        )
    raise ConfigError(list(state.findings))


class _Commit(NamedTuple):
    id: str
    parent: str
    date: datetime
    author: str
    subject: str


def _commits(repository: Repository, own: str) -> list[_Commit]:
    """Commits that may have changed a prompt, newest first."""
    if not repository.commit("HEAD"):
        raise GitProblem("This repository has no commit yet. Commit the prompt first.")
    answer = repository.ask(
        *("log", "--date-order", "--no-color", "--no-notes", f"--max-count={_MOST_COMMITS}"),
        *(_FORMAT, "HEAD", "--", own, "_partials", "_tools"),
    )
    if not answer.is_right:
        raise GitProblem(f"Git has no log: {answer.complaint}. Run `git fsck`.")
    fields = answer.output.decode(errors="replace").split("\0")
    return [
        _Commit(
            id=fields[at].removeprefix("\n"),
            parent=fields[at + 1].partition(" ")[0],
            date=_date(fields[at + 2]),
            author=_clean(fields[at + 3]),
            subject=_clean(fields[at + 4]),
        )
        for at in range(0, len(fields) - _FIELDS + 1, _FIELDS)
    ]


def _revisions(
    states: States, commits: list[_Commit], *, names: dict[str, str]
) -> Iterator[Revision]:
    """The commits in which a file of the prompt is not what it was in the one before."""
    for commit in commits:
        now, before = states.at(commit.id), states.at(commit.parent)
        if now.files == before.files:
            continue
        findings = now.findings
        yield Revision(
            commit=commit.id,
            author=commit.author,
            date=commit.date,
            subject=commit.subject,
            version_hash=now.version_hash,
            version=names.get(now.version_hash, ""),
            is_change=bool(now.version_hash) and now.version_hash != before.version_hash,
            problem=f"{findings[0].place}: {findings[0].problem}" if findings else "",
        )


def _told_again(revisions: list[Revision]) -> list[Revision]:
    """A file that was wrong for a while and is right again may be the version that it was."""
    found: list[Revision] = []
    last = ""
    for revision in reversed(revisions):
        is_again = bool(revision.version_hash) and revision.version_hash == last
        last = revision.version_hash or last
        found.append(msgspec.structs.replace(revision, is_change=False) if is_again else revision)
    return found[::-1]


class _Origin(NamedTuple):
    """Where a line comes from: commit ("" if none), name of the file then, from the root."""

    commit: str
    file: str
    text: str
    author: str
    date: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.commit, self.file


def _origins(output: bytes) -> Iterator[_Origin]:
    """The lines of `git blame --porcelain` (git-blame's page, "The porcelain format")."""
    told: dict[str, dict[str, str]] = {}
    commit = ""
    for line in output.split(b"\n")[:-1]:
        text = line.decode(errors="replace")
        if not text.startswith("\t"):
            word, _, value = text.partition(" ")
            if commit:
                told[commit][word] = value
            else:
                commit = word
                told.setdefault(commit, {})
            continue
        about = told[commit]
        yield _Origin(
            "" if commit.strip("0") == "" else commit,
            about.get("filename", ""),
            text[1:].removesuffix("\r"),
            _clean(about.get("author", "")),
            _date(about.get("author-time", "0")),
        )
        commit = ""


def _version_then(blobs: Blobs, origin: _Origin, prefix: str) -> str:
    """The hash of a prompt when a line came in; "" if it was no right prompt of this project."""
    name = origin.file.removeprefix(prefix)
    if not origin.commit or not origin.file.startswith(prefix) or not name.endswith(SUFFIX):
        return ""
    return States(blobs, name.removesuffix(SUFFIX)).at(origin.commit).version_hash


def _line(number: int, origin: _Origin, versions: dict[tuple[str, str], str]) -> BlameLine:
    if not origin.commit:
        return BlameLine(number=number, text=origin.text)
    return BlameLine(
        number=number,
        text=origin.text,
        commit=origin.commit,
        author=origin.author,
        date=origin.date,
        version=versions[origin.key],
    )


def _file(prompt_id: str) -> str:
    """The file of a prompt below `prompts`.

    Raises:
        UsageError: the name leads elsewhere.
    """
    parts = prompt_id.split("/")
    if not prompt_id.isprintable() or any(part.strip(".") == "" for part in parts):
        raise UsageError(
            f"{prompt_id[:_MOST_SHOWN]!r} is no name of a prompt. Give one as "
            "`trimtab prompts list` shows it."
        )
    return file_of(prompt_id)


def _names(library: Library, prompt_id: str) -> dict[str, str]:
    """Names of the versions on record, by hash; of two with one hash, that of the newest."""
    return {record.hash: record.name for record in library.records(prompt_id)}


def _not_blamed(answer: Answer, own: str) -> str:
    if "no such path" in answer.complaint or "no such ref" in answer.complaint:
        return _never_committed(own)
    return f"Git cannot say who wrote {FOLDER}/{own}: {answer.complaint}."


def _never_committed(own: str) -> str:
    return f"Git has no commit with {FOLDER}/{own}. Commit the file first."


def _date(seconds: str) -> datetime:
    """Seconds since 1970 as a date; what is no date becomes the first one."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _clean(text: str) -> str:
    """Text of a commit without what could drive a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
