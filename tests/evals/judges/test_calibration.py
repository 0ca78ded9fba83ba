"""Calibration files: what they say, and what is wrong with them."""

import json
from pathlib import Path

import msgspec
import pytest

from evals.judges.labels import BASELINE, CANDIDATE, calibration_of, judge_of
from trimtab.errors import ConfigError, UsageError
from trimtab.evals.judges.calibration import (
    Calibration,
    Pool,
    calibration_path,
    load_calibration,
    strata_of,
    write_calibration,
)
from trimtab.stats.agreement import Stratum

SAID = [(1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]


def test_it_is_written_and_read(tmp_path: Path):
    calibration = calibration_of(SAID)
    file = write_calibration(tmp_path, calibration)
    assert file == calibration_path(tmp_path, "tone") == tmp_path / "calibration" / "tone.json"
    assert load_calibration(tmp_path, "tone") == calibration
    assert [path.name for path in file.parent.iterdir()] == ["tone.json"]
    assert file.read_text().count("\n") > 20, "a review shows which label changed"


def test_without_a_file_nothing_is_known(tmp_path: Path):
    assert load_calibration(tmp_path, "tone") is None


@pytest.mark.parametrize("name", ["../tone", "", ".tone", "a/b", "tone\n", "x" * 200])
def test_names_are_those_of_files(tmp_path: Path, name: str):
    with pytest.raises(UsageError, match="cannot be calibrated"):
        load_calibration(tmp_path, name)


def broken(tmp_path: Path, **changes: object) -> None:
    """Write a file that has these fields instead of its own."""
    file = write_calibration(tmp_path, calibration_of(SAID))
    fields = json.loads(file.read_text())
    file.write_text(json.dumps({**fields, **changes}))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"labels": [1]}, "cannot be read"),
        ({"judge": {"evaluator": "tone"}}, "cannot be read"),
        ({"more": 1}, "cannot be read"),
        (
            {"judge": {**msgspec.to_builtins(judge_of("rate")), "evaluator": "wit"}},
            "another evaluator",
        ),
        (
            {"labels": [{**msgspec.to_builtins(calibration_of(SAID).labels[0]), "human": 0.5}]},
            "has none of",
        ),
        ({"labels": [msgspec.to_builtins(calibration_of(SAID).labels[0])] * 2}, "is there twice"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, changes: dict[str, object], problem: str):
    broken(tmp_path, **changes)
    with pytest.raises(ConfigError, match=problem):
        load_calibration(tmp_path, "tone")


def test_a_file_that_is_no_json_is_told(tmp_path: Path):
    file = write_calibration(tmp_path, calibration_of(SAID))
    for content in (b"", b"\xff", b"{"):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=r"tone\.json: cannot be read"):
            load_calibration(tmp_path, "tone")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path):
    with write_calibration(tmp_path, calibration_of(SAID)).open("r+b") as file:
        file.truncate(50_000_001)
    with pytest.raises(ConfigError, match="larger than 50 MB"):
        load_calibration(tmp_path, "tone")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "calibration").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_calibration(tmp_path, calibration_of(SAID))


def test_labels_are_counted_by_what_they_were_drawn_from():
    calibration = calibration_of(SAID, rows={0.0: 40, 1.0: 60})
    assert strata_of(calibration) == [Stratum(0, 40, (1, 0)), Stratum(1, 60, (1, 1))]
    assert strata_of(calibration, BASELINE) == []
    assert strata_of(calibration, CANDIDATE) == strata_of(calibration)


def test_pools_without_labels_are_there():
    pools = [Pool(setup_hash=BASELINE, verdict=1.0, rows=7)]
    calibration = Calibration(judge=judge_of("rate"), population=pools, labels=[])
    assert strata_of(calibration) == [Stratum(1, 7, (0, 0))]


def test_labels_of_no_pool_are_one():
    """A file from before, or edited by hand: there are as many rows as labels."""
    calibration = msgspec.structs.replace(calibration_of(SAID), population=[])
    assert strata_of(calibration) == [Stratum(0, 1, (1, 0)), Stratum(1, 2, (1, 1))]


def test_values_between_are_those_next_to_them():
    calibration = calibration_of([(0.75, 0.7), (0.5, 0.6)], judge=judge_of("score"))
    assert [stratum.verdict for stratum in strata_of(calibration)] == [2, 3]
