"""Notice that the project file or `feedback.toml` changed, and take the new only if it is right."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from trimtab.config.feedback import FEEDBACK_FILE
from trimtab.config.load import load_project
from trimtab.config.schema import Project
from trimtab.errors import ConfigError

__all__ = ["ProjectWatcher"]

_Stamp = tuple[int, int, int]  # modification time in ns, size, inode


class ProjectWatcher:
    """Looks at the project file when told to. No thread and no sleep: the caller schedules.

    Args:
        project: the snapshot that is in use; a change is a change against it.
        on_error: gets what is wrong with a changed file, once per change.
        environ: where credentials are looked up; the environment of this process by default.
        kinds: the provider kinds to accept; the installed ones by default.
    """

    def __init__(
        self,
        project: Project,
        on_error: Callable[[ConfigError], None],
        *,
        environ: Mapping[str, str] | None = None,
        kinds: Collection[str] | None = None,
    ) -> None:
        self._file = project.file
        self._digest = project.digest
        self._on_error = on_error
        self._environ = environ
        self._kinds = kinds
        # Not the stamp of now: the file may have changed since the project was loaded.
        self._seen: tuple[_Stamp | None, ...] = ()

    def poll(self) -> Project | None:
        """The new project if a file changed and is right; None to keep the one in use."""
        stamp = (_stamp(self._file), _stamp(self._file.with_name(FEEDBACK_FILE)))
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            project = load_project(self._file, self._environ, kinds=self._kinds)
        except ConfigError as error:
            self._on_error(error)
            return None
        if project.digest == self._digest:
            return None
        self._digest = project.digest
        return project


def _stamp(file: Path) -> _Stamp | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
