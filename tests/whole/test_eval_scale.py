"""Twenty thousand cases, three times: little memory, as fast as the provider, a report to open."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from browser.stage import chromium
from harness import TRIMTAB, project_text
from server.wire import resident_bytes

CASES, REPEATS, AT_ONCE, ANSWER_S = 20_000, 3, 64, 0.2
MB = 1_000_000
SUITE = f"""\
model = "fast"
repeats = {REPEATS}
concurrency = {AT_ONCE}

[[evaluators]]
use = "contains"

[[evaluators]]
use = "refusal"

[[evaluators]]
use = "length"
max_words = 100
"""
WORDS = (
    "valve", "hub", "sensor", "rain", "garden", "timer", "leak",
    "order", "refund", "parcel", "login", "battery", "app",
)  # fmt: skip


@contextmanager
def slow_provider(folder: Path) -> Generator[str]:
    """In a process of its own; each answer takes its time, whoever else is asked."""
    script = folder / "script.json"
    script.write_text(json.dumps({"calls": [{"headers_after_s": ANSWER_S, "times": 10**9}]}))
    command = [sys.executable, "-m", "trimtab.testing", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def lay_out(folder: Path, base_url: str) -> None:
    (folder / "trimtab.toml").write_text(project_text(base_url))
    suite = folder / "evals" / "large"
    suite.mkdir(parents=True)
    (suite / "suite.toml").write_text(SUITE)
    with (suite / "cases.jsonl").open("w") as lines:
        for number in range(CASES):
            said = " ".join(WORDS[number // step % 13] for step in (1, 13, 169, 2_197))
            case: dict[str, Any] = {
                "id": f"c{number:05}",
                "messages": [{"role": "user", "content": f"Ticket {number}: {said}?"}],
                "expected": {"contains": ["w0" if number % 3 else "nothing like it"]},
                "tags": [WORDS[number % 13]],
            }
            lines.write(f"{json.dumps(case)}\n")


def run(folder: Path, *arguments: str) -> tuple[dict[str, Any], float, int]:
    """The result, how long it took, and the most memory it had."""
    command = [*TRIMTAB, "eval", "run", "large", "--json", *arguments]
    begun_s, most, out = time.monotonic(), 0, folder / "out.json"
    with out.open("w") as said, subprocess.Popen(command, cwd=folder, stdout=said) as process:
        while process.poll() is None:
            most = max(most, resident_bytes(process.pid))
            time.sleep(0.2)
    assert process.returncode == 0
    return json.loads(out.read_text()), time.monotonic() - begun_s, most


@pytest.mark.soak
def test_twenty_thousand_cases_three_times(tmp_path: Path):
    report = tmp_path / "report.html"
    with slow_provider(tmp_path) as base_url:
        lay_out(tmp_path, base_url)
        said, took_s, most = run(tmp_path, "--report", str(report))
        again, again_s, _ = run(tmp_path)
    rows = CASES * REPEATS
    figures = {
        "rows": rows,
        "took s": round(took_s, 1),
        "rows per s": round(rows / took_s, 1),
        "what the provider gives": AT_ONCE / ANSWER_S,
        "most memory MB": round(most / MB, 1),
        "once more, nothing to ask, s": round(again_s, 1),
        "report MB": round(report.stat().st_size / MB, 2),
        "report opens in s": round(open_report(report), 2),
    }
    sys.stdout.write(f"{json.dumps(figures)}\n")
    assert (said["counts"]["answered"], said["counts"]["failed"]) == (rows, 0)
    assert (again["counts"]["reused"], again["spent_nanousd"]) == (rows, 0)
    assert most < 500 * MB
    assert rows / took_s > 0.7 * AT_ONCE / ANSWER_S, "more time goes by than the provider takes"


def open_report(report: Path) -> float:
    """Seconds until its cases are shown."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        begun_s = time.monotonic()
        page.goto(report.as_uri())
        page.get_by_text(re.compile("c0000")).first.wait_for()
        took_s = time.monotonic() - begun_s
        assert not problems
        browser.close()
    return took_s
