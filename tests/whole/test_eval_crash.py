"""SIGKILL in the middle of experiments: no answer is lost, none is there twice, none paid twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from harness import PRICE, project_text, wait_until
from trimtab.archive import open_experiments, verify_store
from trimtab.config.environment import environment
from trimtab.evals.kept import kept_result
from trimtab.store.protocol import Experiments
from trimtab.store.records import VerifyReport
from trimtab.testing import Behaviour, RunningFaultProvider, Script, running_fault_provider
from whole.book import Book

TESTS = Path(__file__).parents[1]
CASES, REPEATS, CONCURRENCY = 80, 3, 4
ROWS = CASES * REPEATS
# A few milliseconds at each place, so that kills hit every phase of an inference.
SCRIPT = Script(
    calls=(
        Behaviour(text="To billing.", tokens=3, headers_after_s=0.002),
        Behaviour(text="No idea.", tokens=2),
        Behaviour(text="To billing.", tokens=3, first_token_after_s=0.003),
    )
    * 400
)
SUITE = f"""\
model = "fast"
repeats = {REPEATS}
concurrency = {CONCURRENCY}

[[evaluators]]
use = "contains"

[gate]
looks = 1
"""


class Runner:
    """Starts commands, one at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, *command: str) -> int:
        """The process id of a command that is under way."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(command)}\n")
        self._process.stdin.flush()
        return self._number()

    def ended(self) -> int:
        """How it ended: an exit code, or minus a signal."""
        return self._number()

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextmanager
def running(folder: Path) -> Generator[Runner]:
    command = [sys.executable, "-m", "whole.eval_child"]
    said = (folder / "said.txt").open("a")
    environ = {**environment(), "OPENBLAS_NUM_THREADS": "1"}  # there is one thread to fork
    with (
        said,
        subprocess.Popen(
            command,
            cwd=TESTS,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as process,
    ):
        try:
            yield Runner(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)


def lay_out(folder: Path, provider: RunningFaultProvider) -> None:
    models = f'[models.worse]\nref = "fake:gpt-worse"\nprice = {PRICE}\n'
    (folder / "trimtab.toml").write_text(project_text(provider.base_url, extra=models))
    suite = folder / "evals" / "s"
    suite.mkdir(parents=True)
    (suite / "suite.toml").write_text(SUITE)
    words = [" ".join(f"w{at * 10 + place}" for place in range(8)) for at in range(CASES)]
    lines = [
        json.dumps(
            {
                "id": f"c{at:03}",
                "messages": [{"role": "user", "content": words[at]}],
                "expected": {"contains": ["billing"]},
            }
        )
        for at in range(CASES)
    ]
    (suite / "cases.jsonl").write_text("".join(f"{line}\n" for line in lines))


def kill(
    runner: Runner, command: Sequence[str], provider: RunningFaultProvider, rng: Random
) -> None:
    """Start a command, and kill it: at its start, or after some more calls and a moment."""
    before = len(provider.calls)
    pid = runner.start(*command)
    pause = threading.Event()
    if rng.random() < 0.2:
        pause.wait(rng.uniform(0.0, 0.3))
    else:
        wanted = before + rng.randrange(1, 14)
        provider.wait_for(lambda it: len(it.calls) >= wanted, timeout_s=60)
        pause.wait(rng.uniform(0.0, 0.02))
    os.kill(pid, signal.SIGKILL)
    assert runner.ended() == -signal.SIGKILL


def rows_of(store: Experiments) -> Counter[tuple[str, str, int]]:
    """How often each (setup, case, repeat) is there."""
    tried = {
        setup.hash
        for one in store.experiments(1_000)
        for setup in (one.candidate, one.baseline)
        if setup is not None
    }
    rows = [row for setup_hash in tried for row in store.rows(setup_hash)]
    assert all(row.status == "ok" for row in rows)
    return Counter((row.setup_hash, row.case_id, row.repeat) for row in rows)


def kill_again_and_again(folder: Path, command: Sequence[str], *, seed: int, setups: int) -> None:
    rng, kills = Random(seed), 20
    with running_fault_provider(SCRIPT) as provider, running(folder) as runner:
        lay_out(folder, provider)
        whole = ["eval", *command, "--project", str(folder)]
        store = open_experiments(folder / "trimtab.toml")
        there: Counter[tuple[str, str, int]] = Counter()
        try:
            for _ in range(kills):
                kill(runner, whole, provider, rng)
                now = rows_of(store)
                assert there <= now, "a row that was there is gone"
                there = now
            runner.start(*whole)
            code = runner.ended()
        except BaseException as error:
            error.add_note(f"seed {seed}: {(folder / 'said.txt').read_text()[-3000:]}")
            raise
        assert code in {0, 1, 3}, (folder / "said.txt").read_text()[-3000:]
        called = len(provider.calls)
    rows = ROWS * setups
    found = rows_of(store)
    assert set(found.values()) == {1}
    assert len(found) == rows
    assert rows <= called <= rows + kills * CONCURRENCY
    result = kept_result(store, "last")
    assert (result.planned, result.answered, result.failed) == (rows, rows, 0)
    (accuracy,) = [one.estimate for one in result.figures if one.metric == "accuracy"]
    assert accuracy is not None
    assert (accuracy.rows, accuracy.unmeasured) == (ROWS, 0), "each answer has its mark"
    _check_ledger(folder, store, called)


def _check_ledger(folder: Path, store: Experiments, called: int) -> None:
    """Each answer is in the ledger, and costs what that says.

    A call whose answer nobody saw may be missing: it was on its way before its intent was durable.
    """
    report = wait_until(lambda: _settled_report(folder))
    assert report.ok, report.findings
    entries = Book(folder).read()
    assert abs(called - len(entries.intents)) <= 20 * CONCURRENCY
    for setup_hash in {key[0] for key in rows_of(store)}:
        for row in store.rows(setup_hash):
            settle = entries.settles[row.inference_id, 1]
            assert (settle["outcome"], settle["cost_nanousd"]) == ("ok", row.cost_nanousd)


def _settled_report(folder: Path) -> VerifyReport | None:
    report = verify_store(folder / "trimtab.toml")
    return report if report.in_flight == 0 else None


def test_a_run_that_is_killed_twenty_times(project_folder: Path):
    kill_again_and_again(project_folder, ["run", "s"], seed=1, setups=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 8))
def test_runs_that_are_killed_again_and_again(project_folder: Path, seed: int):
    kill_again_and_again(project_folder, ["run", "s"], seed=seed, setups=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8, 11))
def test_gates_that_are_killed_again_and_again(project_folder: Path, seed: int):
    gate = ["gate", "s", "--model", "worse", "--baseline-model", "fast"]
    kill_again_and_again(project_folder, gate, seed=seed, setups=2)
