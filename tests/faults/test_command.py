"""`trimtab faults` as people type it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from harness import TRIMTAB, start_gateway
from trimtab.testing.scorecard import ROWS

FAST = ("--row", "S03", "--row", "s13", "--scale", "0.1")


def faults(*arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [*TRIMTAB, "faults", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr[-800:]
    return done


def test_a_line_for_each_row_and_one_for_all() -> None:
    done = faults(*FAST)
    assert done.returncode == 0, done.stdout
    first, second, last = done.stdout.splitlines()
    assert re.match(r"S03  pass +\d+\.\d s +2 attempts  answered by the first model", first)
    assert re.match(r"S13  pass +\d+\.\d s +1 attempt  one attempt; error content_filter", second)
    assert last.startswith("2 of 2 rows pass; the longest wait was")


def test_json_and_markdown_say_the_same() -> None:
    told = json.loads(faults(*FAST, "--json").stdout)
    assert told["scale"] == 0.1
    rows = {row["row_id"]: row for row in told["rows"]}
    assert [rows["S03"]["verdict"], rows["S13"]["verdict"]] == ["pass", "pass"]
    assert (rows["S03"]["attempts"], rows["S03"]["findings"]) == (2, [])
    lines = faults(*FAST, "--markdown").stdout.splitlines()
    assert [line.split("|")[1].strip() for line in lines] == ["row", "---", "S03", "S13"]


def test_the_list_runs_nothing() -> None:
    done = faults("--list")
    for row in ROWS:
        assert f"{row.row_id}  {row.fault}" in done.stdout
    assert [row["row_id"] for row in json.loads(faults("--list", "--json").stdout)] == [
        row.row_id for row in ROWS
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--row", "S17"), "There is no row 'S17'"),
        (("--scale", "0"), "scale"),
        (("--project", "."), "--project goes with --against"),
        (("--against", "http://127.0.0.1:9/v1"), "--against needs --project"),
        (("--against", "http://127.0.0.1:9/v1", "--project", "nowhere"), "nowhere"),
        (("--against", "127.0.0.1", "--project", "."), "is not the base URL of a gateway"),
        (("--json", "--markdown"), "one of --json and --markdown"),
    ],
)
def test_wrong_use_is_told(arguments: tuple[str, ...], words: str) -> None:
    done = faults(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr, done.stderr


def test_against_a_gateway_that_somebody_started(tmp_path: Path) -> None:
    folder = tmp_path / "table"
    made = faults("--write-project", str(folder), "--scale", "0.1")
    assert made.returncode == 0, made.stderr
    found = re.search(r"trimtab faults (--against \S+ -p \S+ --scale 0.1)", made.stdout)
    assert found is not None, made.stdout
    command = found[1].split()
    assert faults("--write-project", str(folder)).returncode == 2
    nobody = faults(*command, "--row", "S03")
    assert nobody.returncode == 2
    assert "Nobody serves" in nobody.stderr
    gateway = start_gateway(folder)
    try:
        assert command[1] == gateway.url
        done = faults(*command, "--row", "S03", "--row", "S09", "--row", "X11")
        assert done.returncode == 0, done.stdout
        assert re.search(r"S03  pass", done.stdout)
        assert re.search(r"S09  pass .* processor not measured", done.stdout)
        assert re.search(r"X11  skipped .* needs a gateway that it may stop or break", done.stdout)
        assert "2 of 3 rows pass, 1 skipped" in done.stdout
        other = faults(*command[:-1], "0.2", "--row", "S03")
        assert other.returncode == 2
        assert "is not the project of this table at --scale 0.2" in other.stderr
    finally:
        assert gateway.stop() == 0


def test_it_has_help() -> None:
    done = faults("--help")
    assert done.returncode == 0
    assert "trimtab faults" in done.stdout
    assert "--against" in done.stdout
