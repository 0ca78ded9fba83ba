"""python -m trimtab.evals.grounding.accuracy: files in, a table out."""

import gzip
import json
from pathlib import Path

import pytest

from trimtab.evals.grounding.accuracy import main

SOURCE = "The pump weighs 4 kg."


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(response: str, label: str, **fields: object) -> dict[str, object]:
    return {"response": response, "label": label, "source_text": SOURCE, **fields}


def test_a_table_by_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write(
        tmp_path / "one.jsonl",
        row("It weighs 4 kg.", "grounded", source="pumps", id="x"),
        row("It weighs 9 kg.", "hallucinated", source="pumps", question="How heavy is it?"),
        row("The capital is Rome.", "hallucinated", source="none", source_text=None),
    )
    other = tmp_path / "two.jsonl.gz"
    lines = [row("4 kg", "grounded", sources=["More.", SOURCE]), row("Paris", "made up")]
    other.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    assert main([str(one), str(other)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in shown] == [
        "set", "---", "all", "none", "pumps", "mean of sets",
    ]  # fmt: skip
    assert "1 without a source" in shown[3]
    assert "| 2 | 1.000 (0.025 to 1.000) | 1.00, 0.00 |" in shown[4]


@pytest.mark.parametrize(
    ("line", "problem"),
    [("{", "bad.jsonl:2: "), ('{"response": "x"}', "`label`"), ('{"response": 1}', "Expected")],
)
def test_a_wrong_line_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, problem: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    assert main([str(path)]) == 2
    assert problem in capsys.readouterr().err


def test_a_file_that_is_not_there_or_is_no_gzip(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.jsonl")]) == 2
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8bnot")
    assert main([str(tmp_path / "broken.gz")]) == 2
    assert capsys.readouterr().err.count("cannot be read") == 2
