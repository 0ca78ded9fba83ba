"""JUnit XML: whole, within what readers know, and red only for what the gate is red for."""

import io
from xml.etree import ElementTree

import msgspec
import pytest

from evals.reports.results import HOSTILE, first_release, gate, hostile, make_cases, run_of_one
from trimtab.evals.reports.junit import write_junit
from trimtab.evals.result import Result, Verdict

CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "properties": {"property"},
    "property": set[str](),
    "testcase": {"failure", "skipped", "system-out"},
    "failure": set[str](),
    "skipped": set[str](),
    "system-out": set[str](),
}
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "properties": set[str](),
    "property": {"name", "value"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "skipped": {"message"},
    "system-out": set[str](),
}


def read(result: Result) -> ElementTree.Element:
    """The document, checked."""
    file = io.BytesIO()
    write_junit(result, file)
    root = ElementTree.fromstring(file.getvalue())
    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN[element.tag]
        assert (
            element.keys() == ATTRIBUTES[element.tag]
            or set(element.keys()) == (ATTRIBUTES[element.tag])
        )
    for counted in [root, *root.iter("testsuite")]:
        assert int(counted.attrib["tests"]) == len(list(counted.iter("testcase")))
        assert int(counted.attrib["failures"]) == len(list(counted.iter("failure")))
        assert int(counted.attrib["skipped"]) == len(list(counted.iter("skipped")))
        assert counted.attrib["errors"] == "0"
    return root


def outcome(root: ElementTree.Element, name: str) -> str:
    (test,) = [one for one in root.iter("testcase") if one.attrib["name"] == name]
    return next((child.tag for child in test if child.tag != "system-out"), "passed")


@pytest.mark.parametrize("verdict", ["pass", "inconclusive"])
def test_nothing_fails_unless_the_gate_does(verdict: Verdict):
    made = gate(verdict, count=60, drop=0.3)
    assert any(one.verdict == "fail" for one in made.comparisons), "a metric that is red by itself"
    root = read(made)
    assert root.attrib["failures"] == "0"
    assert outcome(root, "verdict") == ("passed" if verdict == "pass" else "skipped")


def test_what_is_inconclusive_is_seen():
    root = read(gate())
    assert outcome(root, "accuracy") == "skipped"
    (test,) = [one for one in root.iter("testcase") if one.attrib["name"] == "verdict"]
    (skipped,) = test.iter("skipped")
    assert skipped.attrib["message"].startswith("INCONCLUSIVE: The numbers cannot tell. accuracy:")
    output = "".join(test.itertext())
    assert "accuracy: The interval reaches beyond the margin" in output


def test_a_failed_gate_names_its_metrics_and_critical_cases():
    root = read(gate("fail", count=60, drop=0.3))
    assert outcome(root, "verdict") == "failure"
    assert outcome(root, "accuracy") == "failure"
    assert outcome(root, "format") == "passed"
    assert outcome(root, "app-0003: accuracy") == "failure"
    assert outcome(root, "app-0023") == "passed"
    assert outcome(root, "refusal") == outcome(root, "tone") == "skipped"
    names = {test.attrib["name"] for test in root.iter("testcase")}
    assert not any(name.startswith("returns-") for name in names), "cases are no tests"
    (accuracy,) = [one for one in root.iter("testcase") if one.attrib["name"] == "accuracy"]
    output = accuracy.findtext("system-out") or ""
    assert "cases got worse or fall short:" in output
    assert "  app-0003: 100.0% before, " in output


def test_a_metric_that_decides_nothing_fails_nothing():
    made = gate("fail", count=60, drop=0.3)
    comparisons = [
        msgspec.structs.replace(one, verdict="fail") if one.metric == "cost" else one
        for one in made.comparisons
    ]
    root = read(msgspec.structs.replace(made, comparisons=comparisons))
    assert outcome(root, "cost") == "skipped"
    (test,) = [one for one in root.iter("testcase") if one.attrib["name"] == "cost"]
    assert test[0].attrib["message"].startswith("(fail): ")


def test_runs_without_a_baseline():
    root = read(run_of_one())
    assert root.attrib["failures"] == "0"
    assert outcome(root, "verdict") == outcome(root, "accuracy") == "passed"
    assert outcome(read(first_release()), "verdict") == "passed"


def test_no_two_tests_have_the_same_name():
    for result in (gate("fail"), run_of_one()):
        tests = list(read(result).iter("testcase"))
        assert len({(one.attrib["classname"], one.attrib["name"]) for one in tests}) == len(tests)


def test_what_it_took_is_in_the_properties():
    found = {one.attrib["name"]: one.attrib["value"] for one in read(gate()).iter("property")}
    assert found["experiment"] == "exp_01kb7y2m9f"
    assert found["spent"] == "$1.23 (of it judges $0.234)"
    assert found["candidate"].startswith("v13-draft (support/triage, ")
    assert read(gate()).attrib["time"] == "192.400"


def test_a_long_list_of_cases_is_cut_and_says_so():
    cases = make_cases(900, drop=0.6)
    root = read(gate("fail", count=900, drop=0.6, cases=cases))
    (accuracy,) = [one for one in root.iter("testcase") if one.attrib["name"] == "accuracy"]
    lines = (accuracy.findtext("system-out") or "").splitlines()
    assert lines[-1].startswith("  and ")
    assert len(lines) < 220


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_texts_are_only_text(name: str):
    root = read(hostile(HOSTILE[name]))
    assert outcome(root, "verdict") == "failure"
    told = "".join(root.itertext()) + "".join(
        value for element in root.iter() for value in element.attrib.values()
    )
    assert not [found for found in told if not found.isprintable() and found != "\n"]
    if name == "ends":
        assert "]]> &lt;b&gt;" in told
    if name == "hidden":
        assert "⟦U+0000⟧" in told
        assert "⟦U+FFFF⟧" in told
