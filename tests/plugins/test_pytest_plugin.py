"""A suite as one test: pytest in a process of its own, a real gateway inside it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import project_text
from trimtab.testing.thread import running_fault_provider

TEST = """
def test_suite(trimtab_eval):
    result = trimtab_eval("greeting", baseline="none"{options})
    assert result.verdict == "{verdict}"
"""


def write(folder: Path, base_url: str, *, expected: str, policy: str, floor: str = "0.8") -> None:
    (folder / "trimtab.toml").write_text(project_text(base_url))
    suite = folder / "evals/greeting"
    suite.mkdir(parents=True)
    (suite / "suite.toml").write_text(
        f'model = "fast"\n[[evaluators]]\nuse = "contains"\nmetric = "accuracy"\n'
        f'[gate]\nprimary = ["accuracy"]\ninconclusive = "{policy}"\n'
        f"floors = {{accuracy = {floor}}}\n"
    )
    cases = [
        {
            "id": f"case-{number}",
            "messages": [{"role": "user", "content": f"question {number}"}],
            "expected": {"contains": [expected]},
        }
        for number in range(30)
    ]
    (suite / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))


def run(folder: Path, *, verdict: str, options: str = "") -> "subprocess.CompletedProcess[str]":
    (folder / "test_suite.py").write_text(TEST.format(verdict=verdict, options=options))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_suite.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("expected", "policy", "floor", "verdict", "passes", "says"),
    [
        ("e", "block", "0.8", "pass", True, "1 passed"),
        ("never said by anybody", "block", "0.8", "fail", False, "FAIL"),
        ("e", "block", "0.99", "inconclusive", False, "INCONCLUSIVE"),
        ("e", "warn", "0.99", "inconclusive", True, "PytestWarning: INCONCLUSIVE"),
    ],
)
def test_a_gate_decides_a_test(
    project_folder: Path,
    expected: str,
    policy: str,
    floor: str,
    verdict: str,
    passes: bool,
    says: str,
):
    with running_fault_provider() as provider:
        write(project_folder, provider.base_url, expected=expected, policy=policy, floor=floor)
        done = run(project_folder, verdict=verdict)
        asked = len(provider.calls)
        assert (done.returncode == 0) is passes, done.stdout + done.stderr
        assert says in done.stdout
        run(project_folder, verdict=verdict)
        assert len(provider.calls) == asked == 30, "answers are kept"


def test_a_suite_that_is_not_there(project_folder: Path):
    write(project_folder, "http://127.0.0.1:9/v1", expected="e", policy="block")
    (project_folder / "test_suite.py").write_text(
        "def test_suite(trimtab_eval):\n    trimtab_eval('greetings')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_suite.py"]
    done = subprocess.run(command, cwd=project_folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "There is no suite 'greetings'. Did you mean greeting?" in done.stdout
