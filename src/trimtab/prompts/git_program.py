"""The `git` program, for reading alone: no pager, no question, no network, no endless wait."""

import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from threading import Timer
from typing import Final, NamedTuple

from trimtab.config.environment import environment

__all__ = ["Answer", "Blobs", "GitProblem", "Repository", "prefix_of"]

_LIMIT_S: Final = 60.0
_MOST_SHOWN: Final = 200
_FIXED: Final = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "i18n.logOutputEncoding=UTF-8"),
    *("-c", "log.showSignature=false"),
)
# Variables of git itself stay behind (a hook sets some that name another repository), but for those
# by which a machine says what it trusts.
_PASSED: Final = frozenset((
    "HOME", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "USERPROFILE", "XDG_CONFIG_HOME",
))  # fmt: skip
_SETTINGS: Final = "GIT_CONFIG"
_QUIET: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitProblem(Exception):
    """Git is not there, has nothing to say about a folder, or failed. Says what, and what to do."""


class Answer(NamedTuple):
    """What the program said.

    Attributes:
        is_right: it ended with 0.
        output: on its standard output.
        complaint: the first line of its standard error.
    """

    is_right: bool
    output: bytes
    complaint: str


def prefix_of(folder: Path) -> str:
    """A folder's path in its repository, with a slash at its end; "" at its top, or without one."""
    try:
        return Repository(folder).prefix
    except GitProblem:
        return ""


class Repository:
    """The repository that a folder belongs to.

    Args:
        folder: any folder in it.

    Raises:
        GitProblem: there is no git, or no repository.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise GitProblem(f"There is no folder {folder.name}. Run the command in a project.")
        program = which("git", path=environment().get("PATH"))
        if program is None:
            raise GitProblem("Git is not installed, so there is no history. Install git.")
        self._program = program
        self._folder = folder
        answer = self.ask("rev-parse", "--show-prefix")
        if not answer.is_right:
            raise GitProblem(_no_repository(answer.complaint))
        self.prefix = answer.output.decode(errors="surrogateescape").removesuffix("\n")

    def ask(self, *arguments: str) -> Answer:
        """Run git with the folder as the current one.

        Raises:
            GitProblem: it does not end in time.
        """
        with self._started(arguments, stderr=subprocess.PIPE) as process:
            try:
                output, errors = process.communicate(timeout=_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise GitProblem(_too_slow()) from None
        complaint = errors.decode(errors="replace").strip().partition("\n")[0]
        return Answer(process.returncode == 0, output, complaint[:_MOST_SHOWN])

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision means; "" if there is none."""
        if revision.startswith(("-", "^")) or not revision.isprintable():
            return ""
        answer = self.ask("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return answer.output.decode().strip() if answer.is_right else ""

    @contextmanager
    def blobs(self) -> Generator["Blobs"]:
        """Files of any commit, from one process."""
        with self._started(("cat-file", "--batch"), stderr=subprocess.DEVNULL) as process:
            timer = Timer(_LIMIT_S, process.kill)
            timer.daemon = True
            timer.start()
            try:
                yield Blobs(process, self.prefix)
            finally:
                timer.cancel()
                process.kill()

    def _started(self, arguments: tuple[str, ...], *, stderr: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - a program by its full path, no shell
            (self._program, *_FIXED, *arguments),
            cwd=self._folder,
            env=_environment(environment()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )


class Blobs:
    """Contents of files, by commit.

    Args:
        process: `git cat-file --batch`.
        prefix: the folder, seen from the root of the repository; ends with a slash if not empty.
    """

    def __init__(self, process: subprocess.Popen[bytes], prefix: str) -> None:
        self._process = process
        self._prefix = prefix

    def read(self, commit: str, name: str) -> bytes | None:
        """A file below the folder as it was; None if there was none.

        Raises:
            GitProblem: git ended, or took too long.
        """
        if "\n" in name or "\0" in name:
            return None
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            name_in_git = f"{commit}:{self._prefix}{name}\n"
            stdin.write(name_in_git.encode(errors="surrogateescape"))
            stdin.flush()
        except BrokenPipeError:
            with suppress(BrokenPipeError):  # what was not written stays in the buffer
                stdin.close()
            raise GitProblem(_too_slow()) from None
        header = stdout.readline()
        if not header:
            raise GitProblem(_too_slow())
        kind, _, size = header.rstrip(b"\n").rpartition(b" ")
        if not size.isdigit():  # `NAME missing`
            return None
        content = stdout.read(int(size) + 1)[:-1]
        return content if kind.endswith(b" blob") else None


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    passed = {
        name: value
        for name, value in own.items()
        if name.upper() in _PASSED or name.startswith(_SETTINGS)
    }
    return passed | _QUIET


def _no_repository(complaint: str) -> str:
    if "not a git repository" in complaint:
        return "This folder is in no git repository, so there is no history. Run `git init`."
    return f"Git does not read this folder: {complaint}. Do what it says, and try again."


def _too_slow() -> str:
    return (
        f"Git ended early, or needed more than {_LIMIT_S:g} s. Run `git fsck`; of a clone without "
        "all of its contents, make a full one."
    )
