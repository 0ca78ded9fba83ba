"""A scorecard that everything passes is worth nothing: each defect must fail its row."""

import msgspec
import pytest
import uvloop
from tests.faults.wrong import DEFECTS

from trimtab.testing.scorecard import RowResult, rows_named, run_rows

SCALE = 0.05
# Which row notices which defect, and a word of what it finds.
NOTICED = {
    "ends_cleanly": ("S08", "a truncated answer was presented as success"),
    "hammers": ("S02", "attempts in 3 s"),
    "gives_up_at_once": ("S03", "an error instead of an answer"),
    "asks_the_silent_again": ("S06", "the silent model was asked 3 times"),
    "waits_to_the_end": ("S07", "the fallback did not serve it"),
    "never_leaves_alone": ("X07", "the breaker did not open"),
    "is_deaf": ("X09", "upstream closed after"),
    "forgets": ("S04", "not on record as settled"),
    "charges_nothing": ("S11", "would be right"),
    "charges_for_failures": ("S16", "a failed attempt is recorded as ('error', 503, 1)"),
    "hides_who_answered": ("X01", "and the headers name primary:"),
    "hides_the_reason": ("S13", "the provider's reason did not reach the caller"),
    "shows_the_last_error": ("S14", "the caller saw the refusal of the prefill"),
    "keeps_anything": ("X05", "memory grew by"),
    "trusts_the_end": ("X03", "longer: recorded as ok"),
    "takes_errors_for_answers": ("X01", "an error instead of an answer"),
    "knows_one_line_end": ("X04", "cr: "),
    "follows": ("X08", "the redirect was followed"),
    "serves_unrecorded": ("X11", "the provider was called all the same"),
    "drops_what_is_under_way": ("X10", "an error instead of an answer"),
    "measures_by_the_wall": ("X12", "on record, the caller waited"),
}


def result_with(defect: str, row_id: str) -> RowResult:
    """Run a row against a gateway with a defect."""
    (row,) = rows_named([row_id])
    wrong = msgspec.structs.replace(row, own=True, command=("tests.faults.wrong", defect))
    (result,) = uvloop.run(run_rows([wrong], scale=SCALE))
    return result


# Their rows wait for something that never comes.
SLOW = {
    "hammers",
    "asks_the_silent_again",
    "is_deaf",
    "forgets",
    "keeps_anything",
    "serves_unrecorded",
}


@pytest.mark.parametrize(
    "defect",
    [pytest.param(name, marks=pytest.mark.soak if name in SLOW else ()) for name in DEFECTS],
)
def test_a_defect_fails_its_row(defect: str) -> None:
    row_id, words = NOTICED[defect]
    result = result_with(defect, row_id)
    assert result.verdict == "FAIL"
    assert any(words in finding for finding in result.findings), result.findings
