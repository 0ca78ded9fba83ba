"""Notice that prompts or releases changed, and take the new ones only if they are right."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from trimtab.errors import ConfigError
from trimtab.prompts.library import FOLDER as PROMPTS
from trimtab.releases.file import release_path
from trimtab.releases.serving import PromptDesk, open_desk

__all__ = ["PromptWatcher"]

_Stamp = tuple[tuple[str, int, int, int], ...]  # name, modification time in ns, size, inode


class PromptWatcher:
    """Looks at the files when told to. No thread and no sleep: the caller schedules.

    Args:
        project: folder of the project.
        environment: what is served; "" for the files as they are.
        on_error: gets what is wrong with changed files, once per change.

    Attributes:
        desk: the newest snapshot.

    Raises:
        ConfigError: what is released cannot be served.
    """

    def __init__(
        self, project: Path, environment: str, on_error: Callable[[ConfigError], None]
    ) -> None:
        self._project = project
        self._environment: str = environment
        self._on_error = on_error
        self._seen = self._stamp(environment)
        self.desk = open_desk(project, environment)

    def poll(self, environment: str) -> PromptDesk | None:
        """The new snapshot if something changed and is right; None to keep the one in use."""
        stamp = self._stamp(environment)
        if stamp == self._seen and environment == self._environment:
            return None
        self._seen = stamp
        try:
            desk = open_desk(self._project, environment, before=self.desk)
        except ConfigError as error:
            self._on_error(error)
            return None
        self._environment = environment
        self.desk = desk
        return desk

    def _stamp(self, environment: str) -> _Stamp:
        return tuple(_stamps(self._project, environment))


def _stamps(project: Path, environment: str) -> Iterator[tuple[str, int, int, int]]:
    """Of the release file first: a rollback is seen without the folder of prompts."""
    paths = [release_path(project, environment)] if environment else []
    for folder, folders, files in os.walk(project / PROMPTS):
        folders.sort()
        paths += [Path(folder) / name for name in sorted(files)]
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        yield str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino
