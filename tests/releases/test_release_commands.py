"""`trimtab release` where it asks more than the file that it writes would."""

from pathlib import Path

import pytest

from harness import trimtab
from releases.project import NAME, PIN, write
from trimtab.releases.file import load_releases

PROJECT = f"""
[providers.one]
kind = "openai"
[models.main]
ref = "{PIN}"
also = ["one:older"]
"""
FORCED = ("--env", "production", "--force", "--reason", "a test")


@pytest.fixture
def folder(project_folder: Path) -> Path:
    (project_folder / "trimtab.toml").write_text(PROJECT)
    write(project_folder, "well")
    return project_folder


def test_a_pin_that_nobody_offers_is_not_released(folder: Path):
    done = trimtab("release", "promote", NAME, *FORCED, "--model", "one:odler", folder=folder)
    assert done.returncode == 2
    assert "does not offer" in done.stderr
    assert load_releases(folder, "production").prompts == {}
    for pin in (PIN, "one:older"):
        done = trimtab("release", "promote", NAME, *FORCED, "--model", pin, folder=folder)
        assert done.returncode == 0, done.stderr
        assert load_releases(folder, "production").prompts[NAME].model == pin


def test_a_pin_that_nobody_offers_is_not_tried(folder: Path):
    done = trimtab("release", "promote", NAME, *FORCED, folder=folder)
    assert done.returncode == 0, done.stderr
    write(folder, "better")
    done = trimtab("release", "canary", NAME, "--env", "production", "--model", "x", folder=folder)
    assert done.returncode == 2
    assert load_releases(folder, "production").prompts[NAME].canary is None
