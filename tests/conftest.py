"""Switches for all tests: no network but loopback."""

import gc
import ipaddress
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)  # speed is the matter of `make bench`
settings.load_profile("any machine")

# Ten thousand tests and all that they import stay to the end. To look for cycles in them again and
# again takes a third of the time of collecting them, and a twentieth of the tests.
gc.set_threshold(20_000, 20, 20)


def _refuse_outside(event: str, args: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = str(cast("tuple[object, ...]", args[1])[0] or "")
    if not host or host == "localhost" or ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        return
    raise RuntimeError(f"a test tried to reach {host}; tests may only use this machine")


sys.addaudithook(_refuse_outside)


_LONG = frozenset(("test_soak.py", "test_crash.py", "test_gate_story.py", "test_eval_examples.py"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: item.path.name not in _LONG)


def pytest_collection_finish() -> None:
    """What is here now stays: later collections need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    """An empty folder for a project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder
