"""Reports as files."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from evals.reports.results import gate
from trimtab.errors import UsageError
from trimtab.evals.reports.files import FORMATS, write_report


@pytest.mark.parametrize("ending", FORMATS)
def test_the_ending_says_what_it_is(tmp_path: Path, ending: str):
    file = tmp_path / f"report{ending}"
    file.write_text("the one before, which was longer" * 10_000)
    write_report(gate(), file)
    text = file.read_text(encoding="utf-8")
    match ending:
        case ".html":
            assert text.startswith("<!doctype html>")
            assert text.rstrip().endswith("</html>")
        case ".json":
            assert json.loads(text)["format"] == "trimtab.experiment"
        case ".md":
            assert text.startswith("### INCONCLUSIVE: ")
        case _:
            assert ElementTree.fromstring(text).tag == "testsuites"
    assert "longer" not in text


@pytest.mark.parametrize("name", ["report.pdf", "report", "report.HTML"])
def test_another_ending_is_refused(tmp_path: Path, name: str):
    with pytest.raises(UsageError, match=r"ends in \.html, \.json, \.md, \.xml"):
        write_report(gate(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path):
    with pytest.raises(UsageError, match=r"cannot be written: .+ Name another place"):
        write_report(gate(), tmp_path / "no" / "folder" / "report.md")


def test_the_gateway_loads_no_report_until_its_console_is_opened_and_never_mathematics():
    script = """
import sys, trimtab.server.routes
print([name for name in sys.modules if name.startswith("trimtab.evals")])
import trimtab.console.build, trimtab.evals.reports.files, trimtab.evals.reports.terminal
print([name for name in ("numpy", "scipy") if name in sys.modules])
"""
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert found.splitlines() == ["[]", "[]"]
