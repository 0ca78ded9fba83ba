"""A changed file is taken up if it is right, and reported if not."""

from pathlib import Path

import pytest

from config.projects import KINDS, MINIMAL, load
from trimtab.config.watch import ProjectWatcher
from trimtab.errors import ConfigError

BETTER = f"{MINIMAL}max_output_tokens = 9\n"


class Watched:
    """A loaded project, its watcher, and the errors that the watcher told."""

    def __init__(self, folder: Path) -> None:
        self.errors: list[ConfigError] = []
        project = load(folder, MINIMAL)
        self.file = project.file
        self.watcher = ProjectWatcher(project, self.errors.append, environ={}, kinds=KINDS)

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_no_change(watched: Watched) -> None:
    assert watched.watcher.poll() is None
    assert watched.watcher.poll() is None


def test_touch_is_no_change(watched: Watched) -> None:
    watched.watcher.poll()
    watched.write(MINIMAL)
    assert watched.watcher.poll() is None


def test_change_is_taken_up_once(watched: Watched) -> None:
    watched.watcher.poll()
    watched.write(BETTER)
    project = watched.watcher.poll()
    assert project is not None
    assert project.resolve("fast").rungs[0].max_output_tokens == 9
    assert watched.watcher.poll() is None
    assert watched.errors == []


def test_change_before_the_first_poll_is_seen(watched: Watched) -> None:
    watched.write(BETTER)
    assert watched.watcher.poll() is not None


def test_wrong_change_is_told_once_and_a_right_one_follows(watched: Watched) -> None:
    watched.write("[server]\nport = -1\n")
    assert watched.watcher.poll() is None
    assert watched.watcher.poll() is None
    assert len(watched.errors) == 1
    assert "server.port" in str(watched.errors[0])
    watched.write(BETTER)
    assert watched.watcher.poll() is not None


def test_back_to_the_old_text_is_no_change(watched: Watched) -> None:
    watched.write("broken")
    watched.watcher.poll()
    watched.write(MINIMAL)
    assert watched.watcher.poll() is None


def test_file_goes_and_comes_back(watched: Watched) -> None:
    watched.file.unlink()
    assert watched.watcher.poll() is None
    assert watched.watcher.poll() is None
    assert len(watched.errors) == 1
    watched.write(BETTER)
    assert watched.watcher.poll() is not None


def test_replaced_file_is_seen(watched: Watched) -> None:
    watched.watcher.poll()
    new = watched.file.with_suffix(".new")
    new.write_text(BETTER, encoding="utf-8")
    new.replace(watched.file)
    assert watched.watcher.poll() is not None
