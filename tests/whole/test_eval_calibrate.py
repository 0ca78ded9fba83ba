"""`trimtab eval calibrate`: people label what a judge has judged, and then the judge may gate."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from harness import TRIMTAB, wait_until
from trimtab.testing import Behaviour, RunningFaultProvider, running_fault_provider
from whole.eval_project import SCRIPT, SUITE, lay_out, running_judge, write_suite
from whole.test_cli import assert_told
from whole.typed import typed

JUDGED = SUITE.replace(
    '[[evaluators]]\nuse = "contains"\n',
    '[[evaluators]]\nuse = "rubric"\nname = "team"\nmetric = "quality"\nmodel = "judge"\n'
    'rubric = "The answer names the team."\n',
).replace("accuracy", "quality")
CALIBRATE = ("eval", "calibrate", "triage", "team", "--by", "ada")


@pytest.fixture(scope="module")
def provider() -> Generator[RunningFaultProvider]:
    with running_fault_provider(SCRIPT) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, provider: RunningFaultProvider) -> Generator[Path]:
    with running_judge() as judge_url:
        lay_out(tmp_path, provider.base_url, judge_url=judge_url)
        write_suite(tmp_path, JUDGED, cases=80, expected={})
        yield tmp_path


@pytest.fixture
def judged(project: Path) -> Path:
    """Both models have answered, and the judge has judged them."""
    for model in ("fast", "worse"):
        done = typed(project, "eval", "run", "triage", "--model", model)
        assert done.code == 0, done.err
    return project


def rows_of(project: Path, name: str = "sheet.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project / name).read_text().splitlines()]


def word_for(row: dict[str, Any]) -> str:
    return "pass" if "billing" in row["answers"][0] else "fail"


def fill(project: Path, name: str = "sheet.jsonl") -> None:
    """Label a sheet as the judge does, but for one row."""
    rows = rows_of(project, name)
    for number, row in enumerate(rows):
        right = word_for(row)
        row["label"] = right if number else ("fail" if right == "pass" else "pass")
    (project / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_from_nothing_to_a_judge_that_gates(judged: Path) -> None:
    gate = typed(judged, "eval", "gate", "triage", "--baseline", "draft")
    assert gate.code == 3
    assert "nobody has checked this judge" in gate.out
    assert typed(judged, *CALIBRATE, "--sheet", "sheet.jsonl").out.startswith("Wrote 100 rows")
    rows = rows_of(judged)
    assert len({row["key"] for row in rows}) == 100
    assert {tuple(row["choices"]) for row in rows} == {("fail", "pass")}
    assert not [row for row in rows if "verdict" in row or "judge" in row]
    fill(judged)
    told = typed(judged, *CALIBRATE, "--labels", "sheet.jsonl")
    assert told.code == 0, told.err
    assert "100 new labels." in told.out
    assert "Calibration evals/triage/calibration/team.json; commit it." in told.out
    assert "team may gate: kappa 0.98" in told.out
    assert "raw agreement 99.0%" in told.out
    assert f"differs: {rows[0]['case']}: people say" in told.out
    passed = typed(judged, "eval", "gate", "triage", "--baseline", "draft")
    assert passed.code == 0, passed.out
    again = typed(judged, *CALIBRATE, "--labels", "sheet.jsonl")
    assert again.out.startswith("0 new labels.")


def test_keys_label_skip_undo_and_stop(judged: Path) -> None:
    typed(judged, *CALIBRATE, "--sheet", "sheet.jsonl")
    first, second, *_ = rows_of(judged)
    one, two = (word_for(row)[0] for row in (first, second))
    other = "f" if one == "p" else "p"
    keys = f"{other}\nu\nz\n{one}\n{two}\nx\nq\n"
    told = typed(judged, *CALIBRATE, said=keys)
    assert told.code == 0, told.err
    assert f"--- 1 of 100, 160 rows without a label --- {first['case']}" in told.out
    assert f"--- 2 of 100, 159 rows without a label --- {second['case']}" in told.out
    assert "[f] fail  [p] pass  [x] skip  [u] undo  [q] stop" in told.out
    assert "Press one of: f p x u q" in told.err
    assert "As it says." not in told.out, "what the judge says is not shown"
    acts = (judged / "evals/triage/calibration/team.labels.jsonl").read_text().splitlines()
    assert [json.loads(act)["act"] for act in acts] == ["label", "undo", "label", "label", "skip"]
    assert "team gates nothing: it has 2 labels; label 48 more" in told.out
    report = typed(judged, *CALIBRATE, "--json").json
    assert (report["standing"]["agreement"]["labels"], report["skipped"]) == (2, 1)
    assert report["labellers"] == {"ada": 2}


def test_answers_are_shown_with_nothing_hidden(
    project: Path, provider: RunningFaultProvider
) -> None:
    provider.play("gpt-odd", Behaviour(text="[bold]To\x1b[2Jbilling\u202e[/bold]", tokens=1))
    toml = (project / "trimtab.toml").read_text().replace("gpt-worse", "gpt-odd")
    (project / "trimtab.toml").write_text(toml)
    typed(project, "eval", "run", "triage", "--model", "worse")
    told = typed(project, *CALIBRATE, said="q\n")
    assert "[bold]To\u27e6U+001B\u27e7[2Jbilling\u27e6U+202E\u27e7[/bold]" in told.out
    assert "\x1b" not in told.out


def test_one_key_at_a_terminal(judged: Path) -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*TRIMTAB, *CALIBRATE], cwd=judged, stdin=terminal, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    labels = judged / "evals/triage/calibration/team.labels.jsonl"

    def press(key: bytes, done: Callable[[], bool]) -> None:
        """Until it has done something: what is typed before it is asked for is lost."""

        def pressed() -> bool:
            if not done():
                os.write(controller, key)
            return done()

        wait_until(pressed, timeout_s=60)

    try:
        press(b"p", labels.is_file)  # without a line end
        press(b"q", lambda: process.poll() is not None)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
        os.close(controller)
        os.close(terminal)
    assert process.returncode == 0, out
    acts = [json.loads(line) for line in labels.read_text().splitlines()]
    assert {act["act"] for act in acts} == {"label"}
    assert b"Traceback" not in out


def test_another_judge_keeps_the_labels_and_is_asked_anew(judged: Path) -> None:
    typed(judged, *CALIBRATE, "--sheet", "sheet.jsonl")
    fill(judged)
    typed(judged, *CALIBRATE, "--labels", "sheet.jsonl")
    write_suite(judged, JUDGED.replace("names the team", "names a team"), cases=80, expected={})
    assert_told(typed(judged, *CALIBRATE), 2, "has judged no answer", "trimtab eval run triage")
    for model in ("fast", "worse"):
        again = typed(judged, "eval", "run", "triage", "--model", model, "--json").json
        assert again["spent_nanousd"] == again["judge_nanousd"] > 0, "only the judge is asked"
    told = typed(judged, *CALIBRATE, said="")
    assert "team may gate" in told.out
    kept = json.loads((judged / "evals/triage/calibration/team.json").read_text())
    assert len(kept["labels"]) == 100


def test_used_wrongly(judged: Path) -> None:
    assert_told(typed(judged, "eval", "calibrate", "triage", "refusal"), 2, "Those that do: team")
    assert_told(typed(judged, "eval", "calibrate", "nope", "team"), 2, "no suite 'nope'")
    typed(judged, *CALIBRATE, "--sheet", "sheet.jsonl")
    assert_told(typed(judged, *CALIBRATE, "--sheet", "sheet.jsonl"), 2, "is there already")
    rows = rows_of(judged)
    good = {**rows[0], "label": "pass"}
    labels = judged / "labels.jsonl"
    for line, words in (
        ({"key": "nope", "label": "pass"}, "no such row"),
        ({**rows[1], "label": "perhaps"}, "Say one of: fail, pass"),
        ({"label": "pass"}, "is no label"),
    ):
        labels.write_text(f"{json.dumps(good)}\n{json.dumps(line)}\n")
        assert_told(typed(judged, *CALIBRATE, "--labels", "labels.jsonl"), 2, ":2", words)
    assert not (judged / "evals/triage/calibration").exists(), "all labels, or none"
    assert_told(typed(judged, *CALIBRATE, "--labels", "no.jsonl"), 2, "cannot be read")
