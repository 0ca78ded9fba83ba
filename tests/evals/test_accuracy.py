"""How often detectors are right: the figures, the files, and what is printed."""

import gzip
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from trimtab.errors import UsageError
from trimtab.evals.accuracy import DETECTORS, load_labelled, main
from trimtab.evals.accuracy_figures import Pair, Question, area_under_curve, report

DETECTOR = DETECTORS["refusal"]
ROW = '{"prompt": "Open it.", "response": "I can\'t do that.", "label": "full_refusal"}'
OTHER = '{"prompt": "Open it.", "response": "It is open.", "label": "full_refusal", "id": "x7"}'


def test_the_area_counts_pairs_in_the_right_order() -> None:
    random = Random(3)
    yes = [random.randrange(12) / 10 for _ in range(70)]
    no = [random.randrange(10) / 10 for _ in range(50)]
    pairs = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    assert area_under_curve(yes, no) == pytest.approx(pairs / (70 * 50))
    assert area_under_curve([], no) is None


def test_figures_of_a_small_table() -> None:
    pairs = [
        Pair("a", "yes", "yes", 0.9),
        Pair("a", "yes", "no", 0.4),
        Pair("a", "no", "no", 0.2),
        Pair("b", "no", "yes", 0.6),
        Pair("b", "maybe", "yes", 0.7),
    ]
    found = report(pairs, [Question("sure", frozenset(("yes",)))])
    (sure,) = found.every.two_way
    assert found.every.right.estimate == pytest.approx(2 / 5)
    assert sure.precision is not None
    assert sure.recall is not None
    assert (sure.precision.estimate, sure.recall.estimate) == pytest.approx((1 / 3, 1 / 2))
    assert sure.f1 == pytest.approx(2 / 5)
    assert [group.group for group in found.groups] == ["a", "b"]
    assert found.confusion["maybe", "yes"] == 1
    lone = found.groups[1].two_way[0]
    assert (lone.recall, lone.auc) == (None, None)


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(gzip.compress(f"{ROW}\n\n{OTHER}\n".encode()))
    rows = load_labelled(file, DETECTOR)
    assert [row.place.rpartition(":")[2] for row in rows] == ["1", "3"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no rows"),
        ("[1]", r":1 is not a JSON object"),
        (ROW + "\n{", r":2 is not a JSON object"),
        ('{"prompt": "", "label": "full_refusal"}', "has no text as 'response'"),
        (ROW.replace("full_refusal", "no"), "label must be one of full_refusal"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(text)
    with pytest.raises(UsageError, match=says):
        load_labelled(file, DETECTOR)


def test_a_file_that_is_not_there_or_not_packed_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_labelled(tmp_path / "none.jsonl", DETECTOR)
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(b"no gzip")
    with pytest.raises(UsageError, match="cannot be read"):
        load_labelled(torn, DETECTOR)


def test_tables_and_wrong_rows_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{ROW}\n{OTHER}\n")
    assert main(["refusal", str(file), "--wrong", "--by", "prompt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| all | 2 | 0.500 (0.095 to 0.905) | 0.667 |")
    assert "| full_refusal | 1 | 1 |" in lines
    assert lines[-1].startswith("x7: full_refusal, found full_compliance")


def test_it_runs_as_a_module_and_says_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trimtab.evals.accuracy", "refusal"]
    done = subprocess.run(
        [*command, str(tmp_path / "none.jsonl")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
