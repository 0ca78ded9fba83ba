"""The suites of the examples, whole, on the real local model: docs/eval-examples.md is so.

`support-triage` is run by the gate's story, which is a transcript.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness import trimtab
from trimtab.datasets.load import load_suite

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "src/trimtab/examples/evals"
PAGE = (ROOT / "docs/eval-examples.md").read_text(encoding="utf-8")
SUITES = ("support-triage", "docs-answer", "review-comments")


def said(suite: str) -> dict[str, float]:
    """The figures of the page, as shares."""
    rows = re.findall(rf"^\| `{suite}` \| (\w+) \| ([\d.]+)% \|", PAGE, re.MULTILINE)
    return {metric: float(figure) / 100 for metric, figure in rows}


@pytest.mark.parametrize("name", SUITES)
def test_counts_are_those_of_the_page(name: str):
    cases = load_suite(EXAMPLES, name).cases
    alone = sum(not case.cluster for case in cases)
    clusters = len({case.cluster for case in cases if case.cluster}) + alone
    counts = (len(cases), clusters, sum(case.critical for case in cases))
    assert len(cases) >= 60
    assert re.search(rf"`{name}` \|.*\| {counts[0]} \| {counts[1]} \| {counts[2]} \|\n", PAGE)


@pytest.mark.parametrize("name", ["docs-answer", "review-comments"])
def test_a_suite_from_its_cases_to_its_figures(tmp_path: Path, name: str):
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLES, folder)
    checked = trimtab("eval", "check", name, folder=folder)
    assert checked.returncode == 0, checked.stdout
    done = trimtab("eval", "run", name, "--repeats", "1", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    count = len(load_suite(EXAMPLES, name).cases)
    assert (report["counts"]["answered"], report["counts"]["failed"]) == (count, 0)
    found = {one["metric"]: one["estimate"] for one in report["metrics"] if one["estimate"]}
    for metric, figure in said(name).items():
        assert found[metric]["low"] <= figure <= found[metric]["high"], (metric, found[metric])
    assert {"accuracy", "refusal"} <= said(name).keys() <= found.keys()
