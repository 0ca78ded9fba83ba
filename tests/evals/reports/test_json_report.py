"""The JSON document: its form is kept, and it can be written without a copy of all cases."""

import io
import json
from pathlib import Path

import msgspec
import pytest

from evals.reports.results import HOSTILE, first_release, gate, hostile, run_of_one
from trimtab.datasets.suite import HEADLINE_METRICS
from trimtab.evals.reports.json_report import (
    FORMAT,
    VERSION,
    Report,
    report_of,
    report_schema,
    write_json,
)
from trimtab.evals.result import Result

SCHEMA = Path(__file__).parent.parent.parent.parent / "docs" / "eval-report.schema.json"


def written(result: Result, most_cases: int | None = None) -> bytes:
    file = io.BytesIO()
    write_json(result, file, most_cases=most_cases)
    return file.getvalue()


def test_the_form_is_the_one_that_is_published():
    """Whoever changes it raises the version, unless a field is only added, and writes it anew."""
    assert json.loads(SCHEMA.read_text()) == report_schema()
    assert (FORMAT, VERSION) == ("trimtab.experiment", 1)


@pytest.mark.parametrize("result", [gate(), gate("fail"), first_release(), run_of_one()])
@pytest.mark.parametrize("most_cases", [None, 0, 1, 7])
def test_both_ways_to_make_it_say_the_same(result: Result, most_cases: int | None):
    document = written(result, most_cases)
    assert document.count(b"\n") == 1
    report = msgspec.json.decode(document, type=Report)
    assert report == msgspec.json.decode(
        msgspec.json.encode(report_of(result, most_cases=most_cases)), type=Report
    )
    assert report.counts.cases_here == len(report.cases)
    assert len(report.cases) == (len(result.cases) if most_cases is None else most_cases)
    assert report.counts.cases == result.cases_total


def test_what_it_says():
    report = json.loads(written(gate()))
    assert report["format"] == "trimtab.experiment"
    assert report["verdict"] == "inconclusive"
    assert report["started_at"] == "2026-11-30T00:53:20.000Z"
    assert report["candidate"]["label"] == "v13-draft"
    metrics = {one["metric"]: one for one in report["metrics"]}
    assert list(metrics)[:4] == list(HEADLINE_METRICS)
    accuracy = metrics["accuracy"]["comparison"]
    assert accuracy["margin"] == 0.05
    assert accuracy["low"] < accuracy["difference"] < accuracy["high"]
    assert metrics["refusal"] | {"why_not": ""} == {
        "metric": "refusal", "kind": "rate", "higher_is_better": True, "state": "not measured",
        "headline": True, "primary": False, "estimate": None, "raw": None, "why_not": "",
        "repeat_noise": None, "detects": None, "comparison": None,
    }  # fmt: skip
    assert "summary" not in written(gate()).decode()


@pytest.mark.parametrize("name", HOSTILE)
def test_texts_come_through_as_they_were(name: str):
    report = msgspec.json.decode(written(hostile(HOSTILE[name])), type=Report)
    assert report.suite == report.why[0] == report.notes[0] == HOSTILE[name]
    assert {case.asked for case in report.cases} == {HOSTILE[name]}


def test_an_experiment_that_did_not_end_has_no_end():
    made = gate()
    open_one = msgspec.structs.replace(made.experiment, ended_ns=0)
    assert report_of(msgspec.structs.replace(made, experiment=open_one)).ended_at == ""
