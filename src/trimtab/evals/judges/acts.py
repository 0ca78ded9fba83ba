"""`EVALUATOR.labels.jsonl`: what people did while they labelled, one act a line, never changed."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from trimtab.errors import ConfigError, Finding

__all__ = ["Act", "ActFile", "acts_path"]


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A label, a row that somebody could not decide, or taking the last of these back.

    Attributes:
        act: which.
        key: of the answer, `Item.key`.
        value: of a label; for two answers 1 where the candidate is the better one.
        by: who, as they call themselves.
        at: UTC.
        setup_hash, case_id, case_hash, repeat: the row of a label.
        text: the answer of a label: it stays good for another judge.
        baseline_text: the one it was compared with; None without one.
    """

    act: Literal["label", "skip", "undo"]
    key: str
    value: float | None = None
    by: str = ""
    at: str = ""
    setup_hash: str = ""
    case_id: str = ""
    case_hash: str = ""
    repeat: int = 0
    text: str = ""
    baseline_text: str | None = None


_decode: Final = msgspec.json.Decoder(Act).decode
_encode: Final = msgspec.json.encode


def acts_path(calibration: Path) -> Path:
    """The file beside that of a calibration."""
    return calibration.with_suffix(".labels.jsonl")


class ActFile:
    """Reads on where it was, and appends; several processes may do so at once.

    Args:
        path: of the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_to = 0
        self._lines = 0

    @contextmanager
    def alone(self) -> Generator[None]:
        """While nobody else appends.

        Raises:
            ConfigError: the file cannot be used.
        """
        try:
            self.path.parent.mkdir(exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def read_new(self) -> list[Act]:
        """What was appended since the last time. A last line without its end was never kept.

        Raises:
            ConfigError: a line is no act, or the file cannot be read.
        """
        if not self.path.exists():
            return []
        try:
            with self.path.open("rb") as file:
                shorter = file.seek(0, os.SEEK_END) < self._read_to
                file.seek(self._read_to)
                content = file.read()
        except OSError as error:
            raise self._unusable(error) from error
        if shorter:
            problem = "is shorter than it was: somebody has put another file there"
            raise ConfigError([Finding(str(self.path), problem, "Begin the session again")])
        whole = content[: content.rfind(b"\n") + 1]
        acts = [self._parse(line, at) for at, line in enumerate(whole.splitlines(), 1)]
        self._read_to += len(whole)
        self._lines += len(acts)
        return acts

    def append(self, act: Act) -> None:
        """Keep an act: it is on disk when this returns. Only inside `alone`, after `read_new`.

        Raises:
            ConfigError: it cannot be written.
        """
        line = _encode(act) + b"\n"
        try:
            with self.path.open("r+b") as file:
                file.truncate(self._read_to)  # a line that a kill has cut off
                file.seek(self._read_to)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error
        self._read_to += len(line)
        self._lines += 1

    def _parse(self, line: bytes, at: int) -> Act:
        try:
            return _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            place = f"{self.path}:{self._lines + at}"
            remedy = "Take the file back from version control; lines are never edited"
            raise ConfigError([Finding(place, f"is no act: {error}", remedy)]) from None

    def _unusable(self, error: OSError) -> ConfigError:
        problem = f"cannot be used: {error.strerror}"
        return ConfigError([Finding(str(self.path), problem, "Check permissions and room")])
