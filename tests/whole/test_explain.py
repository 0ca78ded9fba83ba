"""`trimtab spend explain` on a simulated quarter finds each of its true causes."""

import json
import subprocess
from math import prod
from pathlib import Path
from typing import Any

import pytest

from harness import TRIMTAB
from store.samples import record
from whole.quarter import PLAN, PROJECT, PROJECT_LATER, TRUTH, Quarter


def command(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*TRIMTAB, "spend", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A project with a plan and the ledger of a quarter, and what it cost."""
    folder = tmp_path_factory.mktemp("quarter")
    (folder / "trimtab.toml").write_text(PROJECT, encoding="utf-8")
    command(folder, "plan", *PLAN)
    (folder / "trimtab.toml").write_text(PROJECT_LATER, encoding="utf-8")
    made = Quarter(seed=20_250_101)
    record(folder / ".trimtab", made.records())
    return folder, made.cost_nanousd


def explained(folder: Path, *arguments: str) -> dict[str, Any]:
    return json.loads(command(folder, "explain", *arguments, "--json"))


def test_explain_recovers_each_cause_of_a_quarter_within_one_percent(
    quarter: tuple[Path, int],
) -> None:
    folder, cost_nanousd = quarter
    report = explained(folder, "--month", "2025-Q1")
    assert report["actual_nanousd"] == cost_nanousd
    assert report["days"] == 90
    # 20 users x 90 days x 6 requests of 900 x (0.6 x 2 + 0.4 x 0.5) + 250 x 8 micro-dollars.
    assert report["planned_nanousd"] == 10_800 * (900 * 1_400 + 250 * 8_000)
    found = {cause["name"]: cause for cause in report["causes"]}
    for name, factor in TRUTH.items():
        assert found[name]["factor"] == pytest.approx(factor, rel=0.01), name
        assert found[name]["part_of"] == "", name
    assert {name for name in found.keys() - TRUTH.keys() if found[name]["factor"] != 1} == set()
    assert prod(cause["factor"] for cause in report["causes"]) == pytest.approx(report["ratio"])
    assert sum(cause["amount_nanousd"] for cause in report["causes"]) == (
        report["actual_nanousd"] - report["planned_nanousd"]
    )
    assert report["causes"][-1]["bill_nanousd"] == report["actual_nanousd"]
