"""Every row of the fault table through a real gateway, and the page that tells of it."""

import re
from pathlib import Path

import pytest
import uvloop

from trimtab.testing.scorecard import ROWS, Row, RowResult, page_table, run_rows

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SCALE = 0.1  # of all times that the table and the projects name; bounds included
_LINE = re.compile(r"^\| ([SX]\d\d) \|.*$", re.MULTILINE)
_TIME = re.compile(r" [^|]*\|$")


def lines_of(table: str) -> dict[str, str]:
    """The lines of a table by the row that they are about."""
    return {found[1]: found[0] for found in _LINE.finditer(table)}


def without_time(line: str) -> str:
    """A line but for its last cell, which depends on the scale."""
    return _TIME.sub("", line)


SLOW = [row for row in ROWS if row.slow]
OTHERS = [row for row in ROWS if not row.slow]


# In two runs, and not one for each row: most of the time would go into starting gateways.
@pytest.mark.parametrize("rows", [SLOW, OTHERS], ids=["slow", "others"])
def test_rows(rows: list[Row], subtests: pytest.Subtests) -> None:
    shown = lines_of(PAGE.read_text())
    for result in uvloop.run(run_rows(rows, scale=SCALE)):
        with subtests.test(result.row_id):
            assert (result.verdict, result.findings) == ("pass", [])
            told = lines_of(page_table([result]))[result.row_id]
            assert without_time(shown[result.row_id]) == without_time(told)


def test_the_page_has_every_row_once_and_no_other() -> None:
    shown = _LINE.findall(PAGE.read_text())
    assert shown == [row.row_id for row in ROWS]
    assert shown == [f"S{n:02}" for n in range(1, 17)] + [f"X{n:02}" for n in range(1, 13)]


def seconds_of(line: str) -> float:
    """The time that a line of the page shows."""
    told = line.split("|")[-2].strip()
    return 0.0 if told.startswith("under") else float(told.removesuffix(" s"))


@pytest.mark.soak
def test_the_whole_table_at_true_times() -> None:
    reported: list[RowResult] = []
    results = uvloop.run(run_rows(ROWS, report=reported.append))
    assert [(r.row_id, r.findings) for r in results if r.verdict != "pass"] == []
    assert len(reported) == len(ROWS)
    shown = lines_of(PAGE.read_text())
    for row_id, line in lines_of(page_table(results)).items():
        assert without_time(line) == without_time(shown[row_id])
        assert abs(seconds_of(line) - seconds_of(shown[row_id])) <= 2, (line, shown[row_id])
