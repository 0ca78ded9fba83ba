"""A run that somebody ends, or that is killed: what was answered is kept, and paid for once."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import TRIMTAB
from trimtab.archive import open_experiments
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider
from whole.eval_project import lay_out, write_suite
from whole.typed import typed

CASES, AT_ONCE = 60, 8
SLOW = Behaviour(text="To billing.", tokens=3, headers_after_s=0.05)


@pytest.fixture
def provider() -> Generator[RunningFaultProvider]:
    with running_fault_provider(Script(models={"gpt-test": (SLOW,)})) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, provider: RunningFaultProvider) -> Path:
    lay_out(tmp_path, provider.base_url)
    write_suite(tmp_path, cases=CASES)
    return tmp_path


@contextmanager
def begun(project: Path, provider: RunningFaultProvider) -> Generator[subprocess.Popen[str]]:
    """A run of which some answers are there."""
    process = subprocess.Popen(
        [*TRIMTAB, "eval", "run", "triage"], cwd=project, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        provider.wait_for(lambda seen: len(seen.calls) >= 2 * AT_ONCE, timeout_s=60)
        yield process
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_awaits_what_is_under_way_and_shows_it(
    project: Path, provider: RunningFaultProvider
) -> None:
    with begun(project, provider) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "what is under way is awaited" in err
    assert "run it again to go on" in out
    assert "Traceback" not in out + err
    before = len(provider.calls)
    assert before < CASES
    rest = typed(project, "eval", "run", "triage", "--json").json
    assert (rest["counts"]["answered"], rest["counts"]["reused"]) == (CASES, before)
    assert len(provider.calls) == CASES, "nothing was asked for twice"


def test_a_kill_loses_what_is_under_way_and_nothing_else(
    project: Path, provider: RunningFaultProvider
) -> None:
    with begun(project, provider) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    rest = typed(project, "eval", "run", "triage", "--json").json
    assert rest["counts"]["answered"] == CASES
    assert rest["counts"]["reused"] > 0
    assert len(provider.calls) <= CASES + AT_ONCE
    newest, killed = open_experiments(project / "trimtab.toml").experiments(2, suite="triage")
    assert (newest.ended_ns > 0, killed.ended_ns) == (True, 0)
    assert "not ended" in typed(project, "eval", "experiments").out
