"""docs/ci.md: its YAML reads, asks for no more rights than it says, and its commands exist."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from typer.testing import CliRunner

from trimtab.cli.program import program
from trimtab.evals.reports.files import FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
GITHUB, GITLAB = (
    yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
)
JOBS: dict[str, Any] = GITHUB["jobs"]


def lines() -> Iterator[str]:
    """All lines of scripts."""
    for job in JOBS.values():
        for step in job["steps"]:
            yield from step.get("run", "").splitlines()
    for job in GITLAB.values():
        if isinstance(job, dict):
            yield from cast("dict[str, list[str]]", job).get("script", [])


def commands() -> list[list[str]]:
    """What the page runs of trimtab, in scripts and in its tables."""
    found = [line for line in lines() if line.strip().startswith("trimtab ")]
    found += re.findall(r"`(trimtab [^`]*)`", PAGE)
    return [shlex.split(line.partition("||")[0])[1:] for line in found]


def _is_command(word: str) -> bool:
    return word.isalpha() and word.islower()


@pytest.mark.parametrize("line", sorted({shlex.join(words) for words in commands()}))
def test_every_command_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)
    asked = CliRunner().invoke(program, [*words, "--help"])
    assert asked.exit_code == 0, asked.output
    path = " ".join(["trimtab", *takewhile(_is_command, words)])
    assert f"Usage: {path}" in asked.output


@pytest.mark.parametrize(
    "line", ["eval gate x --rapport gate.md", "eval gait x", "check --relaxed"]
)
def test_a_command_that_is_not_there_would_be_seen(line: str) -> None:
    assert CliRunner().invoke(program, [*line.split(), "--help"]).exit_code == 2


def test_the_scripts_of_both_run_what_the_page_is_about() -> None:
    ran = [words[:2] for words in commands()]
    assert ran.count(["check", "--releases"]) >= 3
    assert ran.count(["eval", "gate"]) >= 3


def test_reports_that_are_kept_are_written() -> None:
    for words in commands():
        for option, value in pairwise(words):
            if option == "--report":
                assert Path(value).suffix in FORMATS, value
    written = {word for words in commands() for word in words if word.startswith("gate.")}
    (upload,) = [s for s in JOBS["gate"]["steps"] if "upload-artifact" in s.get("uses", "")]
    kept = {name for name in upload["with"]["path"].split() if name.startswith("gate.")}
    gitlab = GITLAB["gate"]["artifacts"]
    assert written == kept == {gitlab["reports"]["junit"], gitlab["paths"][0]}


def test_no_job_has_a_key_and_a_right_to_write() -> None:
    assert GITHUB["permissions"] == {}
    assert "pull_request_target" not in GITHUB[True], "`on` is a bool in YAML 1.1"
    for name, job in JOBS.items():
        writes = "write" in job["permissions"].values()
        has_key = "secrets." in yaml.safe_dump(job)
        runs_code = any("checkout" in step.get("uses", "") for step in job["steps"])
        assert not (writes and (has_key or runs_code)), name
        assert has_key is (name == "gate")
    assert JOBS["comment"]["permissions"] == {"pull-requests": "write"}


def test_forks_are_not_gated() -> None:
    assert "head.repo.full_name == github.repository" in JOBS["gate"]["if"]


def test_every_action_has_a_major_version() -> None:
    used = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w/-]+@v\d+", one) for one in used), used


def test_a_checkout_leaves_no_token_behind() -> None:
    steps = [step for job in JOBS.values() for step in job["steps"]]
    checkouts = [step for step in steps if "checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_rows_are_kept_from_run_to_run() -> None:
    caches = [s for s in JOBS["gate"]["steps"] if "actions/cache/" in s.get("uses", "")]
    restored, saved = caches
    assert restored["with"]["path"] == saved["with"]["path"] == ".trimtab"
    assert restored["with"]["key"] == saved["with"]["key"]
    assert saved["with"]["key"].startswith(restored["with"]["restore-keys"])
    assert saved["if"] == "always()", "also after a run that was cut short"
    assert GITLAB["gate"]["cache"]["paths"] == [".trimtab/"]
    assert GITLAB["gate"]["cache"]["when"] == "always"


def test_exit_codes_that_only_warn_are_those_that_cannot_tell() -> None:
    rows = dict(re.findall(r"^\| (\d) \| (.*?) \|", PAGE, re.MULTILINE))
    unsure = {int(code) for code, what in rows.items() if "cannot tell" in what or "budget" in what}
    assert unsure == {3, 4}
    assert set(GITLAB["gate"]["allow_failure"]["exit_codes"]) == unsure
    script = JOBS["gate"]["steps"][-1]["run"]
    assert {int(code) for code in re.findall(r"(\d)\) echo", script)} == unsure
